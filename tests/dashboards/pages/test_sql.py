from __future__ import annotations

from typing import Any

import pytest
from dash import no_update

from dashboards.console import Console
from dashboards.page_state import PageState, decode
from dashboards.pages import sql
from queries import saved_query
from queries.sql_runner import SqlError

NAMES = ("columns", "rows", "style", "status", "error", "place", "cut", "download_off", "url")


def ran(console: Console, text: str) -> dict[str, Any]:
    return dict(zip(NAMES, sql.outcome(console, text), strict=True))


def test_a_result_has_its_columns_rows_and_time(console: Console) -> None:
    made = ran(console, "SELECT action, count(*) AS n FROM flow_logs GROUP BY action ORDER BY action")
    assert [column["headerName"] for column in made["columns"]] == ["action", "n"]
    assert made["rows"] == [{"c0": "ACCEPT", "c1": 361}, {"c0": "REJECT", "c1": 1}]
    assert made["status"].startswith("2 rows in ")
    assert (made["error"], made["place"], made["download_off"]) == (None, None, False)
    assert made["url"].startswith("SELECT action")


def test_columns_are_as_wide_as_their_values(console: Console) -> None:
    made = ran(console, "SELECT 1 AS n, 123456789012345678 AS bytes, repeat('x', 500) AS text, NULL AS nothing")
    narrow, big, text, nothing = (column["width"] for column in made["columns"])
    assert narrow == sql.COLUMN_PIXELS_MIN <= nothing
    assert big >= 8 * 18
    assert text == sql.COLUMN_PIXELS_MAX
    assert made["rows"][0]["c3"] is None
    assert made["columns"][3]["cellClassRules"] == {"null": "params.value == null"}


def test_two_columns_of_one_name_stay_two(console: Console) -> None:
    assert ran(console, "SELECT 1 AS a, 2 AS a")["rows"] == [{"c0": 1, "c1": 2}]


def test_an_error_has_its_place_and_leaves_the_url_alone(console: Console) -> None:
    made = ran(console, "SELECT action,\n  no_such_column\nFROM flow_logs")
    assert made["place"]["line"] == 2
    assert made["place"]["column"] == 3
    assert "Line 2, column 3: " in str(made["error"])
    assert made["rows"] == []
    assert made["url"] is no_update


def test_what_would_write_is_refused(console: Console) -> None:
    assert "Not allowed here." in str(ran(console, "DROP TABLE flow_logs")["error"])


def test_an_error_without_place_underlines_nothing() -> None:
    assert sql.place_of(SqlError("too slow", kind="time")) is None
    assert "Took too long." in str(sql.error_note(SqlError("too slow", kind="time", hint="ask for less")))


def test_the_editor_opens_with_what_the_url_says(console: Console) -> None:
    state, _ = decode("/sql", "query=SELECT%201")
    assert sql.text_for(state, console) == "SELECT 1"
    assert sql.text_for(PageState(page="sql"), console) == sql.FIRST_QUERY
    state, _ = decode("/sql", "saved=top_talkers")
    assert sql.text_for(state, console).upper().count("SELECT") >= 1


@pytest.mark.parametrize("name", saved_query.names())
def test_every_saved_query_runs_as_it_stands_in_the_editor(console: Console, name: str) -> None:
    text = sql.saved_text(name, PageState(page="sql"), console)
    made = ran(console, text)
    assert made["error"] is None, made["error"]


def test_the_list_of_tables_has_every_column(console: Console) -> None:
    text = str(sql.build(PageState(page="sql"), console))
    for name in ("flow_logs", "gw_drop_reason", "start_time", "audit_events", "alarm_events"):
        assert name in text
