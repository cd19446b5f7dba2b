"""What `gatewatch sql` and `gatewatch query` print: tables for people, CSV and JSON for programs."""

from __future__ import annotations

import csv
import json
import re
import sys
import time
from datetime import datetime
from typing import Any

import pyarrow as pa
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from gatewatch.settings import Settings
from queries.lake import Lake, QueryFailed
from queries.saved_query import BadParameter, load, names, run
from queries.sql_runner import SqlError, run_sql

#: Rows a table on a terminal shows; CSV and JSON show all.
TABLE_ROWS_MAX = 100
OUTPUTS = ("table", "csv", "json")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def run_statement(settings: Settings, statement: str, output: str) -> int:
    """Run a user's SQL and print what it gave; the exit status (1: the statement failed, 2: bad arguments)."""
    if output not in OUTPUTS:
        return _refuse(f"--output is {output!r}; allowed: {', '.join(OUTPUTS)}")
    try:
        result = run_sql(settings, statement)
    except SqlError as error:
        _print_sql_error(statement, error)
        return 1
    print_rows(result.table, output)
    sys.stdout.flush()  # before what goes to standard error
    if output == "table":
        cut = f", cut off at {settings.sql_rows_max}" if result.truncated else ""
        rows = result.table.num_rows
        typer.echo(f"{rows} row{'' if rows == 1 else 's'} in {result.elapsed_s * 1000:.0f} ms{cut}", err=True)
    return 0


def list_saved() -> int:
    """Print the saved queries with what they answer."""
    table = RichTable("name", "what it answers", "parameters", box=None, header_style="bold")
    for name in names():
        query = load(name)
        own = [f"{p.name}={p.default}" for p in query.parameters if p.default is not None]
        table.add_row(name, query.title, " ".join(own))
    Console().print(table)
    typer.echo("\nRun one with `gatewatch query NAME --last 15m -p PARAMETER=VALUE`.")
    return 0


def run_saved(settings: Settings, name: str, assignments: list[str], last: str, output: str) -> int:
    """Run a saved query over the last part of time (`15m`, `all`) and print it; the exit status."""
    if output not in OUTPUTS:
        return _refuse(f"--output is {output!r}; allowed: {', '.join(OUTPUTS)}")
    try:
        start_s = _start_of(last, time.time())
        parameters = dict(_split(assignment) for assignment in assignments)
        table = run(Lake(settings.data_path), name, start_s=start_s, end_s=time.time() + 1, parameters=parameters)
    except (BadParameter, KeyError, ValueError) as error:
        return _refuse(str(error.args[0] if error.args else error))
    except QueryFailed as error:
        typer.echo(f"gatewatch: {error}", err=True)
        return 1
    print_rows(table, output)
    return 0


def print_rows(table: pa.Table, output: str) -> None:
    """Print a result as `table`, `csv` or `json` (one object a line)."""
    rows = table.to_pylist()
    if output == "json":
        for row in rows:
            typer.echo(json.dumps(row, default=str))
    elif output == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(table.column_names)
        writer.writerows([row.values() for row in rows])
    else:
        _print_table(table.column_names, rows)


def _print_table(columns: list[str], rows: list[dict[str, Any]]) -> None:
    """A table; where it is wider than the terminal, one row below the other (as psql's `\\x auto`)."""
    shown = [[_cell(value) for value in row.values()] for row in rows[:TABLE_ROWS_MAX]]
    widths = [max(map(len, cells)) for cells in zip(columns, *shown, strict=True)]
    width = sum(widths) + 2 * len(widths)
    console = Console()
    if console.is_terminal and width > console.width:
        _print_records(console, columns, shown)
    else:
        table = RichTable(box=None, header_style="bold", pad_edge=False)
        for index, column in enumerate(columns):
            numeric = bool(rows) and isinstance(list(rows[0].values())[index], int | float)
            table.add_column(column, justify="right" if numeric else "left", no_wrap=True)
        for cells in shown:
            table.add_row(*map(escape, cells))
        Console(width=max(width, console.width)).print(table)
    if len(rows) > TABLE_ROWS_MAX:
        typer.echo(f"... {len(rows) - TABLE_ROWS_MAX} more rows; --output csv shows all", err=True)


def _print_records(console: Console, columns: list[str], shown: list[list[str]]) -> None:
    label_width = max(map(len, columns))
    for number, cells in enumerate(shown, 1):
        console.print(f"[dim]-- row {number}[/dim]", highlight=False)
        for column, cell in zip(columns, cells, strict=True):
            console.print(f"[bold]{column:<{label_width}}[/bold]  {escape(cell)}", soft_wrap=True, highlight=False)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds").replace("+00:00", "Z")
    return str(value)


def _print_sql_error(statement: str, error: SqlError) -> None:
    where = f" (line {error.line}, column {error.column})" if error.line else ""
    typer.echo(f"gatewatch: {error.message}{where}", err=True)
    if error.line and error.column:
        typer.echo("  " + statement.splitlines()[error.line - 1], err=True)
        typer.echo("  " + " " * (error.column - 1) + "^", err=True)
    if error.hint:
        typer.echo(error.hint, err=True)


def _split(assignment: str) -> tuple[str, str]:
    name, equals, value = assignment.partition("=")
    if not equals:
        raise ValueError(f"a parameter is NAME=VALUE, not {assignment!r}")
    return name, value


def _start_of(last: str, now_s: float) -> float:
    if last == "all":
        return 0.0
    match = re.fullmatch(r"(\d+)([smhd])", last)
    if match is None:
        raise ValueError(f"--last is {last!r}; allowed: a number and s, m, h or d, such as 15m, or all")
    return now_s - int(match[1]) * _UNITS_S[match[2]]


def _refuse(message: str) -> int:
    typer.echo(f"gatewatch: {message}", err=True)
    return 2
