"""Results on a terminal: what fits lines up, what nearly fits folds its headings, what does not fit is one row a block."""

from __future__ import annotations

import io
import re

import pyarrow as pa
from rich.console import Console

from gatewatch.result_table import print_table
from queries.result_text import result_of_table

WIDE = pa.table({"target": ["i-0a", "i-0b"], "bytes_returned": [12, 345], "packets_returned": [1, 22]})


def lines(table: pa.Table, width: int, *, terminal: bool = True) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)
    print_table(result_of_table(table), 100, console)
    assert isinstance(console.file, io.StringIO)
    return [re.sub("\x1b\\[[0-9;]*m", "", line).rstrip() for line in console.file.getvalue().splitlines()]


def test_what_fits_is_a_line_a_row() -> None:
    assert lines(WIDE, 40) == [
        "target  bytes_returned  packets_returned",
        "i-0a                12                 1",
        "i-0b               345                22",
    ]


def test_headings_fold_at_underscores_before_rows_do() -> None:
    assert lines(WIDE, 30) == [
        "          bytes_  packets_",
        "target  returned  returned",
        "i-0a          12         1",
        "i-0b         345        22",
    ]


def test_what_is_wider_still_is_a_block_a_row() -> None:
    assert lines(WIDE, 20) == [
        "-- row 1", "target            i-0a", "bytes_returned    12", "packets_returned  1",
        "-- row 2", "target            i-0b", "bytes_returned    345", "packets_returned  22",
    ]


def test_what_is_not_a_terminal_gets_a_line_a_row() -> None:
    assert lines(WIDE, 20, terminal=False)[1] == "i-0a                12                 1"


def test_nothing_is_told_apart_from_a_dash_and_from_an_empty_text() -> None:
    table = pa.table({"a": ["-", None, ""], "n": [1, None, 3]})
    assert lines(table, 80) == ["a        n", "-        1", "NULL  NULL", "         3"]


def test_a_value_cannot_move_the_cursor() -> None:
    assert lines(pa.table({"a": ["x\x1b[2Jy\tz"]}), 80) == ["a", "x\\x1b[2Jy\\x09z"]
