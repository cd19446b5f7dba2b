"""A kind of SQLite file: how one is told from any other file, and how it came to be as it is, step by step.

`PRAGMA application_id` says whose file it is, `PRAGMA user_version` how many steps were taken.  Files of before had neither;
they are known by a table and count as version 1.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from gatewatch.refusal import Refusal

#: Takes a file from one version to the next, within a transaction.
Step = Callable[[sqlite3.Connection], object]


class BadDatabase(Refusal, sqlite3.DatabaseError):
    """The file cannot be used: damaged, of another program, of a newer gatewatch, locked; the message says which and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of file.

    `name` is what errors call one (`spool`); `mark` a table that each has; `steps[n]` leads from version n to n + 1, the first
    makes it; `damaged` what happens once a damaged one is moved away; `first_pragmas` are set before anything is in it.
    """

    name: str
    application_id: int
    mark: str
    steps: tuple[Step, ...]
    damaged: str
    first_pragmas: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        """What this gatewatch writes."""
        return len(self.steps)

    def version_of(self, connection: sqlite3.Connection, path: object) -> int:
        """The file's version, 0 of an empty one; `BadDatabase` for a file that is none of these, or newer.  Writes nothing."""
        identity, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
        tables = {row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")}
        if not tables and not identity:
            return 0
        if identity == 0 and self.mark in tables:
            return max(version, 1)
        if identity != self.application_id:
            known = ", ".join(sorted(tables)[:5]) or "nothing"
            raise BadDatabase(f"{path} is no {self.name} of gatewatch (it holds {known}); move it away, or name another --data folder")
        if version > self.version:
            raise BadDatabase(
                f"the {self.name} {path} was written by a newer gatewatch (version {version} of its layout; this one knows "
                f"{self.version}); use that one, or another --data folder")
        return version


def script(text: str) -> Step:
    """A step that runs SQL statements, each on its own: `executescript` would commit in their midst."""
    without_comments = "\n".join(line.split("--")[0] for line in text.splitlines())
    statements = [statement for statement in without_comments.split(";") if statement.strip()]

    def run(connection: sqlite3.Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    return run


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"pragma {name}").fetchone()[0])
