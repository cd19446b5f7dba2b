"""Results as text: what DuckDB itself prints, and a name of its own for every column."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.result_text import ResultText, is_nested, is_number, result_of, result_of_table, unique_names


def result(sql: str) -> ResultText:
    connection = duckdb.connect()
    connection.execute("SET timezone = 'UTC'")
    return result_of(connection.sql(sql), lambda reader: reader.read_all())


def test_rows_columns_and_types_are_the_statements() -> None:
    found = result("SELECT n, 'x' AS \"a\"\"b\" FROM range(3) AS t(n) ORDER BY n DESC")
    assert (found.columns, found.types, len(found)) == (["n", 'a"b'], ["BIGINT", "VARCHAR"], 3)
    assert found.records() == [{"n": text, 'a"b': "x"} for text in ("2", "1", "0")]


@pytest.mark.parametrize(("names", "unique"), [
    (["a", "a"], ["a", "a_1"]), (["a", "a", "a"], ["a", "a_1", "a_2"]), (["a", "a", "a_1"], ["a", "a_2", "a_1"]),
    (["a_1", "a", "a"], ["a_1", "a", "a_2"]), (["", ""], ["", "_1"]), ([], []),
])
def test_a_later_column_of_a_name_gets_another(names: list[str], unique: list[str]) -> None:
    assert unique_names(names) == unique


@given(st.lists(st.sampled_from(["a", "a_1", "a_2", "a_1_1", "b", ""]), max_size=12))
def test_names_are_unique_and_first_ones_stay(names: list[str]) -> None:
    unique = unique_names(names)
    assert len(set(unique)) == len(names)
    assert all(unique[names.index(name)] == name for name in names)


def test_columns_of_one_name_are_not_lost() -> None:
    assert result("SELECT 1 AS a, 2 AS a").records() == [{"a": "1", "a_1": "2"}]
    table = pa.Table.from_arrays([pa.array([1]), pa.array(["x"])], names=["a", "a"])
    assert result_of_table(table).records() == [{"a": "1", "a_1": "x"}]


def test_rows_that_are_arrow_already() -> None:
    table = pa.table({"time": pa.array([1_795_395_600_123], pa.timestamp("ms", "UTC")), "none": pa.nulls(1), "f": [0.5]})
    assert result_of_table(table).records() == [{"time": "2026-11-23 01:00:00.123+00", "none": None, "f": "0.5"}]


def test_kinds_of_types() -> None:
    assert all(map(is_number, ("BIGINT", "DOUBLE", "DECIMAL(18,3)", "UINTEGER", "HUGEINT", "UHUGEINT", "BIGNUM")))
    assert not any(map(is_number, ("VARCHAR", "UUID", "BOOLEAN", "UNION(a INTEGER)", "DECIMAL(1,0)[]", "STRUCT(a DECIMAL(1,0))")))
    assert all(map(is_nested, ("INTEGER[]", "INTEGER[3]", "STRUCT(a INTEGER)", "MAP(VARCHAR, INTEGER)", "JSON")))
    assert not any(map(is_nested, ("VARCHAR", "ENUM('[]')", "INTEGER")))
