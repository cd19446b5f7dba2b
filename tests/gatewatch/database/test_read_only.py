"""A file that is only read, whatever its folder is called."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gatewatch.database.kind import BadDatabase, Kind, script
from gatewatch.database.read_only import read_only

KIND = Kind(name="test", application_id=1, mark="a", steps=(script("create table a (b)"),), damaged="gone")


@pytest.mark.parametrize("name", ["plain", "my #1 lab", "what?", "100%41", "été"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "a.sqlite"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as made:
        made.execute("create table a (b)")
    with read_only(path, KIND) as connection:
        assert connection.execute("select count(*) from a").fetchone() == (0,)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("insert into a values (1)")
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("select 1")


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"), read_only(tmp_path / "a.sqlite", KIND):
        pass
    assert not list(tmp_path.iterdir())


def test_a_file_of_something_else_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(path)) as made:
        made.execute("create table other (b)")
    with pytest.raises(BadDatabase, match=r"is no test of gatewatch .it holds other"), read_only(path, KIND):
        pass
