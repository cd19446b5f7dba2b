"""A lock has one holder, says which, and goes with it, also when the holder is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatewatch.lock_file import Held, hold, release

_HOLD = "import sys; from pathlib import Path; from gatewatch.lock_file import hold; hold(Path(sys.argv[1])); print(1, flush=True); input()"


def test_one_at_a_time_and_the_next_after_release(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "lock"
    first = hold(path)
    with pytest.raises(Held) as held:
        hold(path)
    assert held.value.holder == f"process {os.getpid()}"
    release(first)
    release(hold(path))


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"1\n"
        with pytest.raises(Held, match=f"process {other.pid}"):
            hold(path)
        other.kill()
        other.wait()
        release(hold(path))
