"""The worker's side: framing, and the sandbox that stands behind the check of statements."""

from __future__ import annotations

import io
from pathlib import Path

import duckdb
import pytest

from queries.sql_messages import Request, WorkerSettings, read_message, write_message
from queries.sql_worker import answer, failure_of, sandbox
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


@pytest.mark.parametrize(("text", "kind"), [
    ('Out of Memory Error: {"exception_type":"Out of Memory"}', "memory"), ("std::bad_alloc", "memory"),
    ('INTERRUPT Error: {"exception_type":"INTERRUPT"}', "time"),
    ('Conversion Error: {"exception_type":"Conversion","exception_message":"no","position":"7"}', "type"),
    ('Invalid Input Error: {"exception_message":"Arrow Appender: The maximum total string size"}', "size"), ("what?", "failed"),
])
def test_what_goes_wrong_while_rows_are_taken_has_its_kind(text: str, kind: str) -> None:
    failure = failure_of(OSError(text), "SELECT 'x'::INTEGER", TINY)
    assert failure.kind == kind
    assert (failure.column == 8) == (kind == "type")


def test_an_error_in_a_later_row_is_told_with_its_place(tmp_path: Path) -> None:
    settings = WorkerSettings(folder=str(tmp_path), time_s=60.0, rows_max=5_000, memory_mb=100)
    with sandbox(settings) as database:
        head = answer(database, settings, Request(
            sql="SELECT (CASE WHEN n = 4000 THEN 'x' ELSE '1' END)::INTEGER FROM range(5000) AS t(n)", files={}))
    assert head.failure is not None
    assert head.failure.kind == "type"
    assert "x" in head.failure.message


def test_an_answer_has_the_rows_of_the_files_it_was_given(tmp_path: Path) -> None:
    first = publish(tmp_path, "flow_logs", [flow(HOUR_S), flow(HOUR_S + 1)])
    publish(tmp_path, "flow_logs", [flow(HOUR_S + 2)])
    settings = WorkerSettings(folder=str(tmp_path / "lake"), time_s=60.0, rows_max=5, memory_mb=100)
    with sandbox(settings) as database:
        head = answer(
            database, settings, Request(sql="SELECT start FROM flow_logs", files={"flow_logs": [str(first)]})
        )
    assert head.failure is None
    assert sorted(map(str, head.texts[0])) == [str(HOUR_S), str(HOUR_S + 1)]


def test_an_error_without_json_is_still_told() -> None:
    failure = failure_of(duckdb.BinderException("Binder Error: plain text"), "SELECT 1", TINY)
    assert (failure.kind, failure.message, failure.line) == ("name", "Binder Error: plain text", None)
