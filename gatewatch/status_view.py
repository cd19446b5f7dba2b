"""What `gatewatch status` prints: services, the chain of counters from packet to lake row, and whether it balances."""

from __future__ import annotations

import json
import time
from dataclasses import asdict

import typer
from rich.console import Console
from rich.table import Table

from gatewatch.settings import Settings
from gatewatch.status_file import read_all
from queries.books import Chain, Hop, chain

#: A service that has not written its status for this long is shown as silent.
SILENT_S = 5.0
OUTPUTS = ("table", "json")


def show_status(settings: Settings, output: str) -> int:
    """Print the books; exit status 0 when they balance, 1 when not, 2 when there is nothing to look at."""
    if output not in OUTPUTS:
        typer.echo(f"gatewatch: --output is {output!r}; allowed: {', '.join(OUTPUTS)}", err=True)
        return 2
    if not settings.data_path.exists():
        typer.echo(
            f"gatewatch: there is no data folder {settings.data_path}; start with `gatewatch demo` or `gatewatch up`",
            err=True,
        )
        return 2
    books = chain(settings.data_path)
    if output == "json":
        typer.echo(json.dumps({**asdict(books), "balanced": books.balanced}))
        return 0 if books.balanced else 1
    console = Console()
    console.print(_services(settings))
    for name in dict.fromkeys(hop.chain for hop in books.hops):
        console.print(_hops(name, [hop for hop in books.hops if hop.chain == name]))
    _verdict(console, books)
    return 0 if books.balanced else 1


def service_health(settings: Settings, service: str) -> int:
    """Whether a service writes its status (for container health checks): exit status 0 or 1, with the reason."""
    status = read_all(settings.data_path).get(service)
    if status is None:
        typer.echo(f"{service}: has not written a status yet")
        return 1
    age_s = time.time() - float(status["time"])
    typer.echo(f"{service}: last status {age_s:.1f} s ago")
    return 0 if age_s < SILENT_S else 1


def _services(settings: Settings) -> Table:
    table = Table(title="services", title_justify="left", box=None, header_style="bold")
    for column in ("service", "process", "last heard"):
        table.add_column(column)
    for name, status in read_all(settings.data_path).items():
        age_s = time.time() - float(status["time"])
        heard = f"{age_s:.1f} s ago" if age_s < SILENT_S else f"[red]silent for {age_s:.0f} s[/red]"
        table.add_row(name, str(status["pid"]), heard)
    return table


def _hops(name: str, hops: list[Hop]) -> Table:
    table = Table(title=f"\n{name}", title_justify="left", box=None, header_style="bold")
    table.add_column("hop")
    for column in ("received", "sent", "dropped", "held"):
        table.add_column(column, justify="right")
    table.add_column("dropped, by reason")
    for hop in hops:
        reasons = "  ".join(f"{reason} {count:,}" for reason, count in sorted(hop.dropped.items()) if count)
        dropped = sum(hop.dropped.values())
        table.add_row(
            f"{hop.name} ({hop.unit})", f"{hop.received:,}", f"{hop.sent:,}", f"{dropped:,}", f"{hop.held:,}", reasons
        )
    return table


def _verdict(console: Console, books: Chain) -> None:
    console.print()
    for note in books.notes:
        console.print(f"note: {note}")
    for difference in books.differences:
        console.print(
            f"[red]differs[/red]  {difference.chain}: {difference.what}: "
            f"expected {difference.expected:,}, found {difference.found:,}"
        )
    console.print("[green]The books balance.[/green]" if books.balanced else "[red]The books do not balance.[/red]")
