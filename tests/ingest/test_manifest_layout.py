"""When a manifest was made: known of a new one, unknown of one that was in use before it noted that."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from gatewatch.database.opening import open_database
from ingest.manifest_layout import KIND


def made_at_s(path: Path) -> float:
    with closing(open_database(path, KIND)) as connection:
        found: float = connection.execute("select made_at_s from identity").fetchone()[0]
        return found


def test_a_new_one_notes_the_time_once(tmp_path: Path) -> None:
    first = made_at_s(tmp_path / "m.sqlite")
    assert first == pytest.approx(time.time(), abs=60)
    assert made_at_s(tmp_path / "m.sqlite") == first


def test_of_one_that_is_in_use_nothing_is_known(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        KIND.steps[0](connection)
        connection.execute("insert into positions values ('gatewatch.metrics:alarms.0011aabb', 4)")
        connection.commit()
    assert made_at_s(path) == 0.0
