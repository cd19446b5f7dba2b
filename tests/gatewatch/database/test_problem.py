"""A file that is only locked is not called damaged: whoever follows that advice would lose what is in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gatewatch.bus import spool
from gatewatch.bus.spool import Spool, SpoolLimits
from gatewatch.database import opening
from gatewatch.database.kind import BadDatabase
from gatewatch.database.problem import advice
from queries.alarms.state import AlarmState

LIMITS = SpoolLimits(message_bytes_max=1_000, spool_bytes_max=1_000_000, keep_s=1.0)


def locked(path: Path) -> sqlite3.Connection:
    """Another process's hold on the file, before it is one of ours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin exclusive")
    return other


def test_a_spool_that_is_locked_is_not_to_be_moved_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "BUSY_TIMEOUT_S", 0.01)
    other = locked(tmp_path / "api.sqlite")
    with pytest.raises(BadDatabase, match="another process has locked it") as caught:
        Spool(tmp_path / "api.sqlite", LIMITS)
    assert "moved away" not in str(caught.value)
    other.close()


def test_an_alarms_file_that_is_locked_is_not_to_be_moved_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BUSY_TIMEOUT_S", 0.01)
    other = locked(tmp_path / "alarms.sqlite")
    with pytest.raises(BadDatabase, match="another process has locked it") as caught:
        AlarmState(tmp_path / "alarms.sqlite")
    assert "moved away" not in str(caught.value)
    other.close()


def test_a_damaged_file_is(tmp_path: Path) -> None:
    (tmp_path / "alarms.sqlite").write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(BadDatabase, match="moved away"):
        AlarmState(tmp_path / "alarms.sqlite")


def test_an_error_that_sqlite_did_not_raise_is_the_files() -> None:
    assert advice(sqlite3.DatabaseError("?"), damaged="moved away") == "moved away"
