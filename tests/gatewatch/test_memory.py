"""Memory that was freed is the kernel's again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatewatch.memory import choose_arrow_pool

#: Frees a hundred pieces in a thread that lives on, each below what malloc keeps once it has seen larger ones.
_SCRIPT = """
import sys, threading
from pathlib import Path
from gatewatch.memory import return_large_pieces
if sys.argv[1] == "returned":
    assert return_large_pieces()

def held_mb():
    return int(next(l for l in Path("/proc/self/smaps_rollup").read_text().splitlines() if l.startswith("Pss_Anon")).split()[1]) >> 10

def use():
    bytearray(16 << 20)  # the first large piece, after which glibc keeps those that are smaller
    pieces = [bytearray(1 << 20) for _ in range(100)]
    small = bytearray(1000)
    del pieces
    done.set()
    end.wait()

done, end, before = threading.Event(), threading.Event(), held_mb()
thread = threading.Thread(target=use)
thread.start()
done.wait()
print(held_mb() - before)
end.set()
"""


def held_mb(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", _SCRIPT, how], capture_output=True, text=True, timeout=110, check=True)
    return int(done.stdout)


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="the kernel does not tell what a process holds")
def test_large_pieces_go_back_when_they_are_freed() -> None:
    assert held_mb("returned") < 20


def test_who_set_arrows_pool_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARROW_DEFAULT_MEMORY_POOL", "mimalloc")
    choose_arrow_pool()
    assert os.environ["ARROW_DEFAULT_MEMORY_POOL"] == "mimalloc"
    monkeypatch.delenv("ARROW_DEFAULT_MEMORY_POOL")
    choose_arrow_pool()
    assert os.environ["ARROW_DEFAULT_MEMORY_POOL"] == "system"
    monkeypatch.delenv("ARROW_DEFAULT_MEMORY_POOL")
