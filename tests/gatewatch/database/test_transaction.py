"""All or nothing, whatever fails."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gatewatch.database.transaction import transaction


@pytest.fixture
def connection(tmp_path: Path) -> sqlite3.Connection:
    made = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)
    made.executescript("pragma foreign_keys = on; create table a (id integer primary key); "
                       "create table b (a integer references a deferrable initially deferred);")
    made.execute("pragma foreign_keys = on")
    return made


def rows(connection: sqlite3.Connection) -> int:
    return int(connection.execute("select count(*) from a").fetchone()[0])


def test_what_ends_well_is_kept(connection: sqlite3.Connection) -> None:
    with transaction(connection) as inside:
        inside.execute("insert into a values (1)")
    assert (rows(connection), connection.in_transaction) == (1, False)


def test_an_exception_takes_all_back(connection: sqlite3.Connection) -> None:
    def fails() -> None:
        with transaction(connection) as inside:
            inside.execute("insert into a values (1)")
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert (rows(connection), connection.in_transaction) == (0, False)


def test_a_commit_that_fails_takes_all_back(connection: sqlite3.Connection) -> None:
    def fails() -> None:
        with transaction(connection) as inside:
            inside.execute("insert into a values (1)")
            inside.execute("insert into b values (99)")

    with pytest.raises(sqlite3.IntegrityError):
        fails()
    assert (rows(connection), connection.in_transaction) == (0, False)


def test_the_write_lock_is_taken_at_the_start(connection: sqlite3.Connection, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None, timeout=0)
    with transaction(connection), pytest.raises(sqlite3.OperationalError, match="locked"), transaction(other):
        pass
    other.close()
