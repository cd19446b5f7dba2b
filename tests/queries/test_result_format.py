"""Types by formats: CSV, JSON lines and the grid, each valid, each with everything in it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from queries.result_format import csv_lines, grid_values, json_lines
from tests.queries.test_result_text import result

TYPES = json.loads((Path(__file__).parents[1] / "fixtures/results/types.json").read_text(encoding="utf-8"))


def no_constant(text: str) -> Any:
    raise AssertionError(f"{text} is no JSON (RFC 8259)")


@pytest.mark.parametrize("example", TYPES, ids=lambda each: each["sql"])
def test_a_type_in_every_format(example: dict[str, Any]) -> None:
    found = result(f"SELECT {example['sql']}")
    assert found.texts[0] == [example["text"]]
    [line] = json_lines(found)
    [value] = json.loads(line, parse_constant=no_constant).values()
    if "json_text" in example:
        assert line.endswith(f": {example['json_text']}}}")
    else:
        assert (value, type(value)) == (example["json"], type(example["json"]))
    [_, row] = csv_lines(found)
    assert row == "" if example["text"] is None else next(csv.reader(io.StringIO(row, newline=""))) == [example["text"]]
    [shown] = grid_values(found, 0)
    assert shown is None if example["text"] is None else str(shown) == example["text"]


def test_sums_and_counts_are_numbers_alike() -> None:
    [line] = json_lines(result("SELECT sum(n)::HUGEINT AS total, count(*) AS n FROM range(3) AS t(n)"))
    assert line == '{"total": 3, "n": 3}'


def test_nothing_and_an_empty_text_differ() -> None:
    found = result("SELECT NULL AS a, '' AS b, 0 AS c, ' x' AS d")
    assert list(csv_lines(found)) == ["a,b,c,d", ',"",0," x"']
    assert list(json_lines(found)) == ['{"a": null, "b": "", "c": 0, "d": " x"}']


def test_names_are_quoted_as_values_are() -> None:
    found = result('SELECT 1 AS "a,b", 2 AS "é""", 3 AS a, 4 AS a')
    assert next(csv_lines(found)) == '"a,b","é""",a,a_1'
    assert list(json_lines(found)) == ['{"a,b": 1, "é\\"": 2, "a": 3, "a_1": 4}']


def test_a_result_without_rows_has_its_heading() -> None:
    found = result("SELECT 1 AS a, 2 AS b LIMIT 0")
    assert (list(csv_lines(found)), list(json_lines(found))) == (["a,b"], [])


@pytest.mark.parametrize(("sql", "value"), [
    ("5", 5), ("-0.5", -0.5), ("9007199254740993", "9007199254740993"), ("1.50::DECIMAL(9,2)", "1.50"), ("1e20", "1e+20"),
    ("0.30000000000000004::DOUBLE", "0.30000000000000004"), ("'inf'::DOUBLE", "inf"), ("123456789012345", 123456789012345),
    ("'5'", "5"), ("0.1::DOUBLE", 0.1),
])
def test_a_browser_gets_a_number_where_it_shows_the_same_one(sql: str, value: object) -> None:
    assert grid_values(result(f"SELECT {sql}"), 0) == [value]
