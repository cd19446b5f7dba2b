"""The allow-list on DuckDB's own tree, without any file."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queries import saved_query
from queries.sql_check import STATEMENT_CHARACTERS_MAX, check, place
from queries.sql_error import SqlError
from tests.queries.statements import blocks


@pytest.fixture(scope="module")
def parser() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.mark.parametrize(("expected", "statement"), blocks("refused.sql"))
def test_what_does_not_only_read_is_refused(
    parser: duckdb.DuckDBPyConnection, expected: str, statement: str
) -> None:
    kind, _, message = expected.partition(": ")
    with pytest.raises(SqlError) as caught:
        check(parser, statement)
    assert caught.value.kind == kind
    assert message.lower() in caught.value.message.lower()


@pytest.mark.parametrize(("expected", "statement"), blocks("allowed.sql"))
def test_what_reads_is_let_through(parser: duckdb.DuckDBPyConnection, expected: str, statement: str) -> None:
    assert check(parser, statement).sql == statement


@pytest.mark.parametrize("name", saved_query.names())
def test_saved_queries_may_run_as_a_users_own(parser: duckdb.DuckDBPyConnection, name: str) -> None:
    check(parser, saved_query.filled_in(saved_query.load(name), start_s=0, end_s=1))


def test_only_tables_that_are_asked_are_needed(parser: duckdb.DuckDBPyConnection) -> None:
    statement = 'SELECT (SELECT max(start) FROM "Flow_Logs") FROM metrics JOIN range(3) ON true'
    # A table function may list tables, so then every view is made.
    assert "audit_events" in check(parser, statement).tables
    assert check(parser, "SELECT (SELECT max(start) FROM Flow_Logs) FROM metrics").tables == ("flow_logs", "metrics")


@pytest.mark.parametrize(
    ("statement", "line", "column"),
    [
        ("selec 1", 1, 1),
        ("SELECT 1 +\n  FROM flow_logs WHERE", 2, 3),
        ("-- ä comment\nSELECT 'ü', *\nFROM no_table", 3, 6),
        ("EXPLAIN\nSELECT *\nFROM no_table", 3, 6),
        ("SELECT 'ü' FROM glob('*')", 1, 17),
    ],
)
def test_the_place_of_an_error_is_told_in_the_statement_as_given(
    parser: duckdb.DuckDBPyConnection, statement: str, line: int, column: int
) -> None:
    with pytest.raises(SqlError) as caught:
        check(parser, statement)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_table_misspelt_is_answered_with_the_right_name(parser: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(SqlError) as caught:
        check(parser, "SELECT * FROM flow_log")
    assert caught.value.hint == "did you mean flow_logs?"


@pytest.mark.parametrize("statement", ["", "  ", ";", "-- nothing\n", "/* nothing */"])
def test_an_empty_statement_is_told_so(parser: duckdb.DuckDBPyConnection, statement: str) -> None:
    with pytest.raises(SqlError) as caught:
        check(parser, statement)
    assert caught.value.kind in ("syntax", "refused")


def test_a_statement_has_a_longest_length(parser: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(SqlError, match="longer than"):
        check(parser, "SELECT " + "1," * STATEMENT_CHARACTERS_MAX)


def test_deep_nesting_ends_in_an_answer(parser: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(SqlError) as caught:
        check(parser, "SELECT " + "(" * 5_000 + "1" + ")" * 5_000)
    assert caught.value.kind == "syntax"


@pytest.mark.parametrize("terms", [400, 1_500])
def test_a_long_chain_of_operators_ends_in_an_answer(parser: duckdb.DuckDBPyConnection, terms: int) -> None:
    with pytest.raises(SqlError, match="nested too deeply"):
        check(parser, "SELECT " + "1+" * terms + "1")


@pytest.mark.parametrize("comment", ["--ä\r\n", "--a\r", "/* ATTACH\n */", "\n -- b\n"])
def test_only_what_was_parsed_runs(parser: duckdb.DuckDBPyConnection, comment: str) -> None:
    checked = check(parser, comment + "SELECT 1 AS one")
    assert checked.runs.strip() == "SELECT 1 AS one"
    assert len(checked.runs.encode()) == len(checked.sql.encode())


def test_a_carriage_return_ends_a_comment(parser: duckdb.DuckDBPyConnection) -> None:
    """DuckDB runs what follows it on the line."""
    with pytest.raises(SqlError) as caught:
        check(parser, "--a\rATTACH ':memory:' AS b;\nSELECT 1 AS one")
    assert caught.value.kind == "refused"


WORDS = st.sampled_from(
    ["--", "\r", "\n", "/*", "*/",
     "SELECT", "FROM", "WITH", "a", "AS", "(", ")", "COPY", "TO", "'x'", "flow_logs", "EXPLAIN", "ANALYZE", ";", "1", "*"]
)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=14).map(" ".join)))
def test_any_text_gives_a_reading_statement_or_an_error(parser: duckdb.DuckDBPyConnection, text: str) -> None:
    try:
        checked = check(parser, text)
    except SqlError:
        return
    kinds = {statement.type for statement in duckdb.extract_statements(text)}
    assert kinds <= {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
    assert checked.sql == text


@given(st.text(max_size=30), st.integers(min_value=0, max_value=40))
def test_a_place_lies_within_the_text(text: str, offset: int) -> None:
    line, column = place(text, offset)
    assert 1 <= line <= text.count("\n") + 1
    assert 1 <= column <= len(text) + 1
