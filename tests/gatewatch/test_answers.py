"""What `gatewatch sql` and `gatewatch query` print, over a small lake."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pyarrow as pa
import pytest

from gatewatch.answers import list_saved, print_rows, run_saved, run_statement
from gatewatch.settings import Settings
from queries.result_text import result_of_table
from queries.saved_query import names
from tests.queries.lake_builder import HOUR_S, flow, publish


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    publish(tmp_path, "flow_logs", [flow(HOUR_S, bytes=700), flow(HOUR_S + 1, bytes=300, pkt_srcaddr="203.0.113.11")])
    return Settings(data=str(tmp_path))


def test_sql_prints_csv_for_programs(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    status = run_statement(settings, "select pkt_srcaddr, bytes from flow_logs order by bytes", "csv")
    rows = list(csv.reader(capsys.readouterr().out.splitlines()))
    assert (status, rows) == (0, [["pkt_srcaddr", "bytes"], ["203.0.113.11", "300"], ["203.0.113.10", "700"]])


def test_sql_prints_json_lines(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_statement(settings, "select sum(bytes)::bigint as bytes from flow_logs", "json") == 0
    assert json.loads(capsys.readouterr().out) == {"bytes": 1000}


def test_a_wrong_statement_is_shown_with_its_place(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_statement(settings, "select nope from flow_logs", "table") == 1
    error = capsys.readouterr().err
    assert "(line 1, column 8)" in error
    assert "\n         ^\n" in error


def test_a_wrong_output_is_refused(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_statement(settings, "select 1", "xml") == 2
    assert "--output is 'xml'; allowed: table, csv, json" in capsys.readouterr().err


def test_a_saved_query_takes_parameters(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_saved(settings, "top_talkers", ["limit=1"], "all", "json") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert "203.0.113.10" in lines[0]


@pytest.mark.parametrize(
    ("name", "assignments", "last", "message"),
    [
        ("top_talkers", ["limit=x"], "all", "it takes a whole number"),
        ("top_talkers", ["limit"], "all", "a parameter is NAME=VALUE"),
        ("top_talkers", [], "soon", "--last is 'soon'; allowed"),
        ("nope", [], "all", "there is no saved query 'nope'"),
    ],
)
def test_a_wrong_call_says_what_is_allowed(
    settings: Settings, capsys: pytest.CaptureFixture[str], name: str, assignments: list[str], last: str, message: str
) -> None:
    assert run_saved(settings, name, assignments, last, "table") == 2
    assert message in capsys.readouterr().err


def test_old_rows_are_outside_the_last_minutes(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_saved(settings, "top_talkers", [], "1s", "json") == 0
    assert capsys.readouterr().out == ""


def test_the_list_names_every_saved_query(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert list_saved() == 0
    output = capsys.readouterr().out
    assert all(name in output for name in names())


def test_a_table_lines_up_and_shows_nothing_as_null(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(result_of_table(pa.table({"name": ["a", None], "bytes": [1, 23456]})), "table")
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["name  bytes", "a         1", "NULL  23456"]


def test_sums_line_up_also_where_the_first_row_has_none(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    statement = "select * from (values ('a', null), ('b', 1), ('c', 23456)) as t(name, bytes_returned) order by name"
    summed = f"select name, sum(bytes_returned) as total from ({statement}) group by name order by name"
    assert run_statement(settings, summed, "table") == 0
    shown = capsys.readouterr()
    assert [line.rstrip() for line in shown.out.splitlines()] == ["name  total", "a      NULL", "b         1", "c     23456"]
    assert re.fullmatch(r"3 rows in \d+ ms\n", shown.err)


def test_csv_keeps_two_columns_of_one_name(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(result_of_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"])), "csv")
    assert capsys.readouterr().out.splitlines() == ["x,x_1", "1,2"]


def test_nothing_found_says_where_it_was_looked_for(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_saved(settings, "top_talkers", [], "90s", "table") == 0
    assert capsys.readouterr().err == "0 rows in the last 90s\n"


def test_an_empty_lake_is_said_to_be_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_saved(Settings(data=str(tmp_path)), "top_talkers", [], "all", "table") == 0
    assert capsys.readouterr().err.splitlines() == [
        "0 rows", f"the lake of {tmp_path} is empty: ingest has published nothing in it yet"]
