"""The system calls that Python 3.11 lacks.  Each raises `OSError` that names the call and what it was asked."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000

MS_BIND = 4096
MS_REC = 16384
MS_SLAVE = 1 << 19
MS_SHARED = 1 << 20
MNT_DETACH = 2

_CLONE_NAMES = {CLONE_NEWNS: "CLONE_NEWNS", CLONE_NEWUSER: "CLONE_NEWUSER", CLONE_NEWNET: "CLONE_NEWNET"}
_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Give the calling thread (for users and mounts: the process, of one thread) new namespaces."""
    if _libc.unshare(flags) != 0:
        names = "|".join(name for flag, name in _CLONE_NAMES.items() if flags & flag)
        raise _error(f"unshare({names})")


def mount(source: str, target: Path, *, kind: str = "", flags: int = 0) -> None:
    """mount(2), without data."""
    if _libc.mount(source.encode(), os.fsencode(target), kind.encode() or None, flags, None) != 0:
        raise _error(f"mount({kind or source} on {target})")


def unmount(target: Path) -> None:
    """umount2(2) with MNT_DETACH: at once, whoever still looks into it."""
    if _libc.umount2(os.fsencode(target), MNT_DETACH) != 0:
        raise _error(f"umount({target})")


def _error(call: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{call}: {os.strerror(number)}")
