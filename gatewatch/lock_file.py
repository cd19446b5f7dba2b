"""One process at a time: a file that is locked as long as its holder lives, however it ends.

The kernel lets go of the lock when the process dies (flock(2)), so nothing is left behind after a SIGKILL.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Held(Exception):
    """Somebody has the lock; `holder` says who, as `process 123`."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


def hold(path: Path) -> int:
    """Lock the file, made with its folder if missing; give it to `release` in the end.  Raises `Held`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        number = os.read(descriptor, 32).decode(errors="replace").strip()
        os.close(descriptor)
        raise Held(f"process {number or 'unknown'}") from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def release(descriptor: int) -> None:
    """Let go of the lock."""
    os.close(descriptor)
