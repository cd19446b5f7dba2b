"""A log file that several processes append to, kept below a size: what is too much moves to `<name>.1`, `.2`, ...

The writers hold the file open for appending and know nothing of this.  So that none of their lines is lost, what was
copied is cut out of the file's front while they go on writing at its end (`FALLOC_FL_COLLAPSE_RANGE`, which ext4 and xfs
have).  Elsewhere the file is emptied as soon as its last byte was copied; a line that comes within those microseconds is
lost there.  A line may begin in one file and end in the next: read them one after the other.

Not through a pipe that the supervisor empties: a supervisor that is killed would take away what its children say last,
and one that hangs would stop them at their next line.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path
from typing import BinaryIO

#: Old files kept beside the one that is written.
OLD_FILES_KEPT = 3
#: What is cut out is a multiple of this, which is one of every file system's block sizes; also the least limit.
CUT_BYTES = 65_536

_PIECE_BYTES = 1 << 20
_COLLAPSE_RANGE = 8  # linux/falloc.h
_fallocate = ctypes.CDLL(None, use_errno=True).fallocate
_fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


def shorten(path: Path, bytes_max: int) -> bool:
    """Move what is in the file out of it if it is longer than `bytes_max`; tell whether it was.

    `OSError` when there is no room for the copy: then the file and the old ones stay as they are.
    """
    try:
        log = path.open("r+b")
    except FileNotFoundError:
        return False
    with log:
        size_bytes = os.fstat(log.fileno()).st_size
        if size_bytes <= bytes_max:
            return False
        cut_bytes = (size_bytes - 1) // CUT_BYTES * CUT_BYTES
        _copy(log, path, cut_bytes)
        # Only now: whatever ends this process before leaves lines twice, not lines lost.
        if not _cut_out(log, cut_bytes):
            _empty(log, path)
    return True


def old_file(path: Path, number: int) -> Path:
    """The old file that is `number` steps back, from 1."""
    return path.with_name(f"{path.name}.{number}")


def _copy(log: BinaryIO, path: Path, count: int) -> None:
    """Make `<name>.1` of the first `count` bytes; the older ones move up and the oldest is forgotten."""
    copied = path.with_name(f".{path.name}.new")
    try:
        with copied.open("wb") as copy:
            left_bytes = count
            while left_bytes and (piece := log.read(min(left_bytes, _PIECE_BYTES))):
                copy.write(piece)
                left_bytes -= len(piece)
    except OSError:
        copied.unlink(missing_ok=True)
        raise
    for number in range(OLD_FILES_KEPT - 1, 0, -1):
        with contextlib.suppress(FileNotFoundError):
            old_file(path, number).replace(old_file(path, number + 1))
    copied.replace(old_file(path, 1))


def _cut_out(log: BinaryIO, count: int) -> bool:
    """Take the first `count` bytes out of the file; False where the file system cannot."""
    return count > 0 and _fallocate(log.fileno(), _COLLAPSE_RANGE, 0, count) == 0


def _empty(log: BinaryIO, path: Path) -> None:
    """Append the rest to the copy and empty the file."""
    with old_file(path, 1).open("ab") as copy:
        while piece := log.read(_PIECE_BYTES):
            copy.write(piece)
        log.truncate(0)
