"""What to do about a SQLite file that cannot be opened: one that is only locked, or has no room, must not be thrown away."""

from __future__ import annotations

import sqlite3

#: Primary result codes (SQLite, "Result and Error Codes") of what passes by itself or from outside, and leaves the file whole.
_PASSING = {
    sqlite3.SQLITE_BUSY: "another process has locked it: find out which, and try again",
    sqlite3.SQLITE_LOCKED: "another process has locked it: find out which, and try again",
    sqlite3.SQLITE_FULL: "the disk is full: make room, and try again",
    sqlite3.SQLITE_READONLY: "it may not be written: check owner and mode of file and folder",
    sqlite3.SQLITE_CANTOPEN: "it may not be opened: check owner and mode of file and folder",
}


def advice(error: sqlite3.Error, *, damaged: str) -> str:
    """What a person should do; `damaged` where the file itself is at fault."""
    code = getattr(error, "sqlite_errorcode", None)  # an error that SQLite did not raise has none
    return damaged if code is None else _PASSING.get(code & 0xFF, damaged)
