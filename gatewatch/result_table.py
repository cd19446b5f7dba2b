"""A query's result on a terminal: columns that line up, or one row below the other where they do not fit."""

from __future__ import annotations

import re

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from queries.result_text import ResultText, is_number

GAP = 2
NULL = "NULL"
#: What would move the cursor or colour the terminal; a line feed stays, a plan has some.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def print_table(result: ResultText, rows_max: int, console: Console | None = None) -> None:
    """Print the first rows.  What is too wide folds its headings (`bytes_` over `returned`); what is still too wide is
    printed one row below the other, as psql's `\\x auto` does.  Output that is not a terminal is never folded."""
    console = console or Console()
    names = list(map(_cell, result.columns))
    columns = [list(map(_cell, result.texts[place][:rows_max])) for place in range(len(names))]
    if not console.is_terminal or _width(names, columns) <= console.width:
        headings = names
    else:
        headings = [_folded(name, max(map(len, cells), default=0)) for name, cells in zip(names, columns, strict=True)]
    width = _width(headings, columns)
    if console.is_terminal and width > console.width:
        _print_records(console, names, columns)
        return
    made = RichTable(box=None, header_style="bold", pad_edge=False, padding=(0, GAP, 0, 0))
    for heading, kind in zip(headings, result.types, strict=True):
        made.add_column(escape(heading), justify="right" if is_number(kind) else "left", no_wrap=True, vertical="bottom")
    for cells in zip(*columns, strict=True):
        made.add_row(*map(escape, cells))
    console.width = max(width + GAP, console.width)  # in a file or a pipe no line is cut
    console.print(made)


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


def _cell(text: str | None) -> str:
    """A value, with what is no character written out."""
    return NULL if text is None else _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
