"""The lists of functions against the DuckDB that is installed."""

from __future__ import annotations

import duckdb

from queries.sql_functions import ALLOWED, REFUSED, TABLE_FUNCTIONS, like

#: What no query can call by name, and table functions, which have a list of their own.
OTHER_KINDS = ("pragma", "table", "table_macro")


def catalogue(*kinds: str) -> set[str]:
    rows = duckdb.connect().execute("SELECT function_name, function_type FROM duckdb_functions()").fetchall()
    return {name.lower() for name, kind in rows if (kind in kinds if kinds else kind not in OTHER_KINDS)}


def test_every_function_was_looked_at() -> None:
    assert catalogue() - ALLOWED - REFUSED == set()
    assert frozenset() == ALLOWED & REFUSED


def test_no_list_names_what_is_not_there() -> None:
    assert ALLOWED - catalogue() == set()
    assert REFUSED - catalogue() == {"getenv"}  # the command-line client's
    assert catalogue("table") >= TABLE_FUNCTIONS


def test_nothing_that_shows_or_changes_the_server_is_allowed() -> None:
    words = ("setting", "privilege", "version", "secret", "current_user", "variable", "nextval", "log_message", "serialize", "internal")
    assert [name for name in sorted(ALLOWED) if any(word in name for word in words)] == ["uuid_extract_version"]


def test_a_slip_finds_its_function() -> None:
    assert like("date_trunk") == "date_trunc"
    assert like("qqqqqqqqqqqq") == ""
