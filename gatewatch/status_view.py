"""What `gatewatch status` prints: what is wrong, services, the chain of counters from packet to lake row, whether it balances."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gatewatch.settings import Settings
from gatewatch.status_file import SILENT_AFTER_S, read_all
from queries.books import Chain, Hop, chain
from queries.conditions.condition import Condition, Severity
from queries.conditions.evaluation import evaluate
from queries.conditions.reading import read
from queries.conditions.verdict import sentence, verdict

#: A chain's table fits this many characters as long as counts do; a hop's name gives way to long counts.
TABLE_WIDTH, HOP_WIDTH_MIN, HOP_WIDTH_MAX, NUMBER_WIDTH_MIN = 80, 20, 34, 8
OUTPUTS = ("table", "json")


def show_status(settings: Settings, output: str) -> int:
    """Print what is wrong and the books; exit status 0 when they balance, 1 when not, 2 when there is nothing to look at."""
    if output not in OUTPUTS:
        typer.echo(f"gatewatch: --output is {output!r}; allowed: {', '.join(OUTPUTS)}", err=True)
        return 2
    if not settings.data_path.exists():
        typer.echo(
            f"gatewatch: there is no data folder {settings.data_path}; start with `gatewatch demo` or `gatewatch up`",
            err=True,
        )
        return 2
    now_s = time.time()
    conditions = evaluate(read(settings.data_path), now_s)
    books = chain(settings.data_path)
    if output == "json":
        told = [{**asdict(each), "severity": each.kind.severity, "sentence": sentence(each)} for each in conditions]
        typer.echo(json.dumps({"conditions": told, **asdict(books), "balanced": books.balanced}))
        return 0 if books.balanced else 1
    console = Console()
    _tell(console, conditions)
    statuses = read_all(settings.data_path)
    heard_s = {name: max(0.0, now_s - float(status["time"])) for name, status in statuses.items()}
    console.print(_services(statuses, heard_s))
    counts = [count for hop in books.hops for count in (hop.received, hop.sent, hop.held, sum(hop.dropped.values()))]
    number_width = max([NUMBER_WIDTH_MIN, *(len(f"{count:,}") for count in counts)])
    for name in dict.fromkeys(hop.chain for hop in books.hops):
        console.print(_hops(name, [hop for hop in books.hops if hop.chain == name], number_width))
    if refused := _refused(statuses.get("forwarder", {})):
        console.print(refused)
    _verdict(console, books, heard_s)
    return 0 if books.balanced else 1


def overall_health(settings: Settings) -> int:
    """Say what is wrong; exit status 1 when traffic or records are lost, 0 when not, warnings or no."""
    snapshot = read(settings.data_path)
    if not snapshot.services:
        typer.echo(f"no service has ever run in {settings.data}, so nobody knows")
        return 1
    conditions = evaluate(snapshot, time.time())
    for condition in conditions:
        typer.echo(f"{condition.kind.severity}: {sentence(condition)}")
    if not conditions:
        typer.echo(verdict(conditions).text)
    return 1 if verdict(conditions).severity is Severity.CRITICAL else 0


def service_health(settings: Settings, service: str) -> int:
    """Whether a service writes its status (for container health checks): exit status 0 or 1, with the reason."""
    known = read_all(settings.data_path)
    status = known.get(service)
    if status is None:
        others = f"; those that have: {', '.join(known)}" if known else ""
        typer.echo(f"{service}: has not written a status yet{others}")
        return 1
    age_s = time.time() - float(status["time"])
    typer.echo(f"{service}: last status {_age(age_s)} ago")
    return 0 if age_s < SILENT_AFTER_S else 1


def _tell(console: Console, conditions: Sequence[Condition]) -> None:
    """What is wrong, worst first, each with what to do; nothing when nothing is."""
    for condition in conditions:
        tone = "bold red" if condition.kind.severity is Severity.CRITICAL else "yellow"
        console.print(f"[{tone}]{escape(sentence(condition))}[/{tone}]", soft_wrap=True, highlight=False)
        console.print(f"  {escape(condition.kind.action)}\n", soft_wrap=True, highlight=False)


def _refused(forwarder: Mapping[str, Any]) -> Table | None:
    """What came to the nodes' port 6081 and was not accepted; none when nothing was."""
    rows = [(node["address"], reason, count) for node in forwarder.get("nodes", [])
            for reason, count in sorted(node.get("refused", {}).items())]
    if not rows:
        return None
    table = _table("\nrefused on UDP 6081", "node")
    table.add_column("reason")
    table.add_column("datagrams", justify="right")
    for address, reason, count in rows:
        table.add_row(escape(address), escape(reason), f"{count:,}")
    return table


def _age(seconds: float) -> str:
    """A length of time in the two units that matter: `0.4 s`, `47 s`, `9 min 43 s`, `3 h 5 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest_s = divmod(int(seconds), 60)
    return f"{minutes} min {rest_s} s" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60} min"


def _services(statuses: Mapping[str, Mapping[str, Any]], heard_s: Mapping[str, float]) -> Table:
    table = _table("services", "service")
    table.add_column("process", justify="right")
    table.add_column("last heard")
    for name, status in statuses.items():
        age_s = heard_s[name]
        heard = f"{_age(age_s)} ago" if age_s < SILENT_AFTER_S else f"[red]silent for {_age(age_s)}[/red]"
        table.add_row(escape(name), str(status["pid"]), heard)
        problem = str(status.get("problem") or status.get("last_problem") or "")
        if problem and age_s < SILENT_AFTER_S:
            table.add_row("", "", f"[red]{escape(problem)}[/red]")
    return table


def _table(title: str, first: str) -> Table:
    table = Table(title=f"[bold]{title}[/bold]", title_justify="left", title_style="", box=None, header_style="dim",
                  padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(first)
    return table


def _hops(name: str, hops: list[Hop], number_width: int) -> Table:
    """A chain.  All chains have the same widths, so that a number is found under the one before it."""
    table = _table(f"\n{name}", "hop")
    table.columns[0].min_width = max(HOP_WIDTH_MIN, min(HOP_WIDTH_MAX, TABLE_WIDTH - 4 * (number_width + 2)))
    for column in ("received", "sent", "dropped", "held"):
        table.add_column(column, justify="right", min_width=number_width, no_wrap=True)
    for hop in hops:
        reasons = "".join(f"\n  {reason} {count:,}" for reason, count in sorted(hop.dropped.items()) if count)
        unit = "" if hop.unit == name.split()[0] else f", {hop.unit}"
        numbers = (hop.received, hop.sent, sum(hop.dropped.values()), hop.held)
        table.add_row(f"{escape(hop.name + unit)}[dim]{escape(reasons)}[/dim]", *(f"{number:,}" for number in numbers))
    return table


def _verdict(console: Console, books: Chain, heard_s: Mapping[str, float]) -> None:
    console.print()
    for note in books.notes:
        console.print(f"note: {escape(note)}")
    for difference in books.differences:
        console.print(
            f"[red]differs[/red]  {difference.chain}: {escape(difference.what)}: "
            f"expected {difference.expected:,}, found {difference.found:,}"
        )
    console.print("[green]The books balance.[/green]" if books.balanced else "[red]The books do not balance.[/red]")
    if told := silence(heard_s):
        console.print(f"[yellow]{escape(told)}[/yellow]", soft_wrap=True)


def silence(heard_s: Mapping[str, float]) -> str:
    """Who has not been heard of, as a sentence; books balance also over what a silent service holds."""
    silent = {name: age_s for name, age_s in heard_s.items() if age_s >= SILENT_AFTER_S}
    if not silent:
        return ""
    if len(silent) == len(heard_s):
        return f"No service runs: these are the last counts, from {_age(min(silent.values()))} ago."
    names = ", ".join(f"{name} ({_age(age_s)})" for name, age_s in silent.items())
    return f"Not heard of: {names}. What a silent service holds goes no further."
