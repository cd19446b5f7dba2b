"""A query's result on a terminal: columns that line up, or one row below the other where they do not fit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

GAP = 2


def print_table(table: pa.Table, rows_max: int, console: Console | None = None) -> None:
    """Print the first rows.  What is too wide folds its headings (`bytes_` over `returned`); what is still too wide is
    printed one row below the other, as psql's `\\x auto` does.  Output that is not a terminal is never folded."""
    console = console or Console()
    names = list(table.column_names)
    shown = table.slice(0, rows_max)
    columns = [_cells(shown.column(place)) for place in range(shown.num_columns)]
    if not console.is_terminal or _width(names, columns) <= console.width:
        headings = names
    else:
        headings = [_folded(name, max(map(len, cells), default=0)) for name, cells in zip(names, columns, strict=True)]
    width = _width(headings, columns)
    if console.is_terminal and width > console.width:
        _print_records(console, names, columns)
        return
    made = RichTable(box=None, header_style="bold", pad_edge=False, padding=(0, GAP, 0, 0))
    for heading, field in zip(headings, table.schema, strict=True):
        made.add_column(escape(heading), justify="right" if _is_number(field.type) else "left", no_wrap=True, vertical="bottom")
    for cells in zip(*columns, strict=True):
        made.add_row(*map(escape, cells))
    console.width = max(width + GAP, console.width)  # in a file or a pipe no line is cut
    console.print(made)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _width(headings: list[str], columns: list[list[str]]) -> int:
    """Characters of the widest line, without the gap after the last column."""
    widths = [max(map(len, [*heading.split("\n"), *cells])) for heading, cells in zip(headings, columns, strict=True)]
    return sum(widths) + GAP * (len(widths) - 1)


def _folded(name: str, cell_width: int) -> str:
    """A heading broken after underscores, so that it is no wider than its cells or its longest word."""
    words = [f"{word}_" for word in name.split("_")]
    words[-1] = words[-1][:-1]
    width = max([cell_width, *map(len, words)])
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] += word
    return "\n".join(lines)


def _print_records(console: Console, names: list[str], columns: list[list[str]]) -> None:
    label_width = max(map(len, names))
    for number, cells in enumerate(zip(*columns, strict=True), 1):
        console.print(f"[dim]-- row {number}[/dim]", highlight=False)
        for name, cell in zip(names, cells, strict=True):
            console.print(f"[bold]{escape(name):<{label_width}}[/bold]  {escape(cell)}", soft_wrap=True, highlight=False)


def _cells(column: pa.ChunkedArray) -> list[str]:
    values = column.to_pylist()
    # Milliseconds only where at least one moment of the column has some: capture windows and periods have none.
    whole = all(value.microsecond == 0 for value in values if isinstance(value, datetime))
    return [_cell(value, "seconds" if whole else "milliseconds") for value in values]


def _cell(value: Any, timespec: str) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec=timespec).replace("+00:00", "Z")
    return str(value)
