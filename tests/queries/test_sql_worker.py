"""The worker's side: framing, and the sandbox that stands behind the check of statements."""

from __future__ import annotations

import io
from pathlib import Path

import duckdb
import pytest

from queries.sql_worker import Request, WorkerSettings, answer, failure_of, read_message, sandbox, write_message
from tests.queries.lake_builder import HOUR_S, flow, publish

TINY = WorkerSettings(folder="/nowhere", time_s=1.0, rows_max=5, memory_mb=100)


def test_messages_come_out_as_they_went_in() -> None:
    stream = io.BytesIO()
    for body in (b"", b"one", b"\0" * 70_000):
        write_message(stream, body)
    stream.seek(0)
    assert [read_message(stream) for _ in range(4)] == [b"", b"one", b"\0" * 70_000, None]


def test_half_a_message_is_no_message() -> None:
    stream = io.BytesIO()
    write_message(stream, b"whole")
    assert read_message(io.BytesIO(stream.getvalue()[:-1])) is None


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY (SELECT 1) TO '{outside}'",
        "ATTACH '{outside}' AS a",
        "SET max_execution_time = 0",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "SET allowed_directories = ['/']",
    ],
)
def test_the_database_itself_refuses_what_the_check_would_miss(tmp_path: Path, statement: str) -> None:
    lake = tmp_path / "lake"
    lake.mkdir()
    outside = tmp_path / "outside"
    settings = WorkerSettings(folder=str(lake), time_s=1.0, rows_max=5, memory_mb=100)
    with sandbox(settings) as database, pytest.raises(duckdb.Error):
        database.execute(statement.format(outside=outside))
    assert not outside.exists()


def test_an_answer_has_the_rows_of_the_files_it_was_given(tmp_path: Path) -> None:
    first = publish(tmp_path, "flow_logs", [flow(HOUR_S), flow(HOUR_S + 1)])
    publish(tmp_path, "flow_logs", [flow(HOUR_S + 2)])
    settings = WorkerSettings(folder=str(tmp_path / "lake"), time_s=60.0, rows_max=5, memory_mb=100)
    with sandbox(settings) as database:
        head, rows = answer(
            database, settings, Request(sql="SELECT start FROM flow_logs", files={"flow_logs": [str(first)]})
        )
    assert head.failure is None
    assert sorted(row["start"] for row in rows.to_pylist()) == [HOUR_S, HOUR_S + 1]


def test_an_error_without_json_is_still_told() -> None:
    failure = failure_of(duckdb.BinderException("Binder Error: plain text"), "SELECT 1", TINY)
    assert (failure.kind, failure.message, failure.line) == ("name", "Binder Error: plain text", None)
