"""A SQLite transaction in which something is written: all or nothing, also when the commit itself fails."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Take the write lock at the start, commit at the end, roll back on any exception.

    The connection must have no isolation level of its own (`isolation_level=None`).
    """
    connection.execute("begin immediate")
    try:
        yield connection
        connection.execute("commit")
    except BaseException:
        # A commit that failed (a full disk) leaves the transaction open; one that SQLite ended itself does not.
        if connection.in_transaction:
            connection.execute("rollback")
        raise
