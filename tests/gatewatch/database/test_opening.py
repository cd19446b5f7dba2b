"""Files are made, migrated with a copy kept, or refused as they were."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from gatewatch.database import opening
from gatewatch.database.kind import BadDatabase, Kind, script
from gatewatch.database.opening import join, open_database

FIRST = Kind(name="notebook", application_id=77, mark="notes", damaged="gone", steps=(script("create table notes (text)"),))
SECOND = replace(FIRST, steps=(*FIRST.steps, script("alter table notes add column page integer default 1")))


def pragma(path: Path, name: str) -> int | str:
    with closing(sqlite3.connect(path)) as connection:
        found: int | str = connection.execute(f"pragma {name}").fetchone()[0]
        return found


def written(path: Path, kind: Kind = FIRST) -> Path:
    with closing(open_database(path, kind)) as connection:
        connection.execute("insert into notes (text) values ('kept')")
    return path


def test_a_file_is_made_and_says_what_it_is(tmp_path: Path) -> None:
    path = written(tmp_path / "deep" / "n.sqlite", SECOND)
    assert [pragma(path, name) for name in ("application_id", "user_version", "journal_mode")] == [77, 2, "wal"]
    assert not list(path.parent.glob("*.v*")), "there was nothing to keep a copy of"


def test_it_is_migrated_and_what_it_was_is_kept(tmp_path: Path) -> None:
    path = written(tmp_path / "n.sqlite")
    with closing(open_database(path, SECOND)) as connection:
        assert connection.execute("select text, page from notes").fetchall() == [("kept", 1)]
    assert pragma(path, "user_version") == 2
    copy = tmp_path / "n.sqlite.v1"
    with closing(open_database(copy, FIRST)) as connection:
        assert connection.execute("select * from notes").fetchall() == [("kept",)]


def test_a_step_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = written(tmp_path / "n.sqlite")
    broken = replace(SECOND, steps=(*SECOND.steps, script("create table more (a); insert into nowhere values (1)")))
    with pytest.raises(BadDatabase, match=r"the notebook .*n\.sqlite cannot be opened: no such table: nowhere"):
        open_database(path, broken)
    assert pragma(path, "user_version") == 1
    with closing(open_database(path, FIRST)) as connection:
        assert connection.execute("select * from notes").fetchall() == [("kept",)]


def test_one_of_before_files_told_what_they_are_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "n.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table notes (text)")
    open_database(path, FIRST).close()
    assert [pragma(path, name) for name in ("application_id", "user_version")] == [77, 1]
    assert not list(tmp_path.glob("*.v*")), "its layout is the same"


@pytest.mark.parametrize("statement", ["create table something (a)", "pragma application_id = 5"])
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "n.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
    before = path.read_bytes()
    with pytest.raises(BadDatabase, match="is no notebook"):
        open_database(path, FIRST)
    assert path.read_bytes() == before


def test_several_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    path, failures = tmp_path / "n.sqlite", []

    def open_one() -> None:
        try:
            open_database(path, SECOND).close()
        except BadDatabase as error:
            failures.append(str(error))

    threads = [threading.Thread(target=open_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_an_io_error_of_the_moment_is_tried_again_and_one_that_stays_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    version_of = Kind.version_of

    def failing(times: int) -> None:
        def look(self: Kind, connection: sqlite3.Connection, path: object) -> int:
            asked.append(1)
            if len(asked) <= times:
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHORT_READ
                raise error
            return version_of(self, connection, path)

        asked.clear()
        monkeypatch.setattr(Kind, "version_of", look)
        monkeypatch.setattr(opening, "IO_PAUSE_S", 0.0)

    failing(opening.IO_ATTEMPTS_MAX - 1)
    open_database(tmp_path / "n.sqlite", SECOND).close()
    failing(100)
    with pytest.raises(BadDatabase, match="disk I/O error"):
        open_database(tmp_path / "n.sqlite", SECOND)
    assert len(asked) == opening.IO_ATTEMPTS_MAX


def test_who_joins_makes_no_file_and_migrates_none(tmp_path: Path) -> None:
    path = tmp_path / "n.sqlite"
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        join(path, FIRST, busy_s=1)
    assert not path.exists()
    written(path)
    with pytest.raises(sqlite3.OperationalError, match="waits to be migrated") as caught:
        join(path, SECOND, busy_s=1)
    assert not isinstance(caught.value, BadDatabase), "it is only too early"
    with closing(join(path, FIRST, busy_s=1)) as connection:
        connection.execute("insert into notes values ('joined')")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 9")
    with pytest.raises(BadDatabase, match="newer"):
        join(path, FIRST, busy_s=1)
