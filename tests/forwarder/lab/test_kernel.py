"""System calls that are refused say which call it was."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from forwarder.lab import kernel


def test_a_refused_call_is_named() -> None:
    with pytest.raises(OSError, match=r"unshare\(\): Invalid argument") as refused:
        kernel.unshare(1)  # no such flag
    assert refused.value.errno == errno.EINVAL


def test_a_refused_mount_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"mount\(no-such-kind on .*missing\)"):
        kernel.mount("none", tmp_path / "missing", kind="no-such-kind")
    with pytest.raises(OSError, match=r"umount\(.*missing\)"):
        kernel.unmount(tmp_path / "missing")
