"""What `gatewatch sql` and `gatewatch query` print: tables for people, CSV and JSON for programs."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import typer

from gatewatch.settings import Settings
from queries.lake import Lake, QueryFailed
from queries.result_format import csv_lines, json_lines
from queries.result_text import ResultText, result_of_table
from queries.saved_query import BadParameter, load, names, run
from queries.sql_runner import SqlError, run_sql

#: Rows a table on a terminal shows; CSV and JSON show all.
TABLE_ROWS_MAX = 100
OUTPUTS = ("table", "csv", "json")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def run_statement(
    settings: Settings, statement: str, output: str, launched: subprocess.Popen[bytes] | None = None
) -> int:
    """Run a user's SQL, in the process `launched` if given, and print what it gave; the exit status (1: the statement
    failed, 2: bad arguments)."""
    if output not in OUTPUTS:
        return _refuse(f"--output is {output!r}; allowed: {', '.join(OUTPUTS)}")
    try:
        result = run_sql(settings, statement, launched)
    except SqlError as error:
        _print_sql_error(statement, error)
        return 1
    print_rows(result, output)
    if output == "table":
        cut = f", cut off at {settings.sql_rows_max:,} (--sql-rows-max)" if result.truncated else ""
        typer.echo(f"{_rows(result)} in {result.elapsed_s * 1000:.0f} ms{cut}", err=True)
        _note_empty_lake(settings)
    return 0


def list_saved() -> int:
    """Print the saved queries with what they answer."""
    from rich.console import Console
    from rich.table import Table as RichTable

    table = RichTable(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("name", "what it answers"):
        table.add_column(column, no_wrap=True)
    table.add_column("parameters")
    for name in names():
        query = load(name)
        own = [f"{p.name}={p.default}" for p in query.parameters if p.default is not None]
        table.add_row(name, query.title, " ".join(own))
    Console().print(table)
    typer.echo("\nRun one with `gatewatch query NAME --last 15m -p PARAMETER=VALUE`.\n"
               "What each counts and what its columns mean: docs/reference/saved-queries.md.")
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
    result = result_of_table(table)
    print_rows(result, output)
    if output == "table":
        typer.echo(_rows(result) + ("" if last == "all" else f" in the last {last}"), err=True)
        _note_empty_lake(settings)
    return 0


def print_rows(result: ResultText, output: str) -> None:
    """Print a result as `table`, `csv` or `json` (one object a line)."""
    if output in _LINES:
        sys.stdout.writelines(f"{line}\n" for line in _LINES[output](result))
        return
    from gatewatch.result_table import print_table  # Rich, which programs that take CSV need not wait for

    print_table(result, TABLE_ROWS_MAX)
    sys.stdout.flush()  # before what goes to standard error
    if len(result) > TABLE_ROWS_MAX:
        typer.echo(f"... {len(result) - TABLE_ROWS_MAX:,} more rows; --output csv shows all", err=True)


_LINES = {"csv": csv_lines, "json": json_lines}


def _rows(result: ResultText) -> str:
    return f"{len(result):,} row{'' if len(result) == 1 else 's'}"


def _note_empty_lake(settings: Settings) -> None:
    """Nothing found and nothing there are different answers."""
    if not Lake(settings.data_path).manifest_path.exists():
        typer.echo(f"the lake of {settings.data} is empty: ingest has published nothing in it yet", err=True)


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
