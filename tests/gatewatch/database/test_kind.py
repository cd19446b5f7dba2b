"""A file is recognised by what it says of itself, or by a table that each of its kind has."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from gatewatch.database.kind import BadDatabase, Kind, script

KIND = Kind(
    name="notebook", application_id=77, mark="notes", damaged="gone",
    steps=(script("create table notes (text); -- a comment; with a semicolon\ncreate table pages (number)"),
           script("create table ink (x)")),
)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:", isolation_level=None)
    yield made
    made.close()


def test_an_empty_file_may_become_anything(connection: sqlite3.Connection) -> None:
    assert KIND.version_of(connection, "f") == 0


def test_one_of_before_files_told_what_they_are_is_of_version_one(connection: sqlite3.Connection) -> None:
    connection.execute("create table notes (text)")
    assert KIND.version_of(connection, "f") == 1


@pytest.mark.parametrize("version", [1, 2])
def test_one_that_tells_is_what_it_says(connection: sqlite3.Connection, version: int) -> None:
    KIND.steps[0](connection)
    connection.execute("pragma application_id = 77")
    connection.execute(f"pragma user_version = {version}")
    assert KIND.version_of(connection, "f") == version


def test_another_programs_file_is_refused_whatever_tables_it_has(connection: sqlite3.Connection) -> None:
    connection.execute("create table notes (text)")
    connection.execute("pragma application_id = 78")
    with pytest.raises(BadDatabase, match=r"f is no notebook of gatewatch .it holds notes.; move it away"):
        KIND.version_of(connection, "f")


def test_a_newer_one_is_refused(connection: sqlite3.Connection) -> None:
    KIND.steps[0](connection)
    connection.execute("pragma application_id = 77")
    connection.execute("pragma user_version = 3")
    with pytest.raises(BadDatabase, match=r"newer gatewatch .version 3 of its layout; this one knows 2"):
        KIND.version_of(connection, "f")


def test_a_script_is_one_transaction_with_what_is_around_it(connection: sqlite3.Connection) -> None:
    connection.execute("begin")
    KIND.steps[0](connection)
    assert connection.in_transaction
    connection.execute("rollback")
    assert KIND.version_of(connection, "f") == 0
