"""`gatewatch up`: every service of this host as a child of one supervisor."""

from __future__ import annotations

import sys

import typer

from gatewatch.data_folder import supervised
from gatewatch.database.kind import BadDatabase
from gatewatch.listen_port import refuse_taken
from gatewatch.service import stop_event
from gatewatch.settings import Settings, environment_of
from gatewatch.supervisor import ServiceCommand, Supervisor

#: In order of start; they are stopped the other way round, so that ingest takes in what the others still say.
SERVICES = ("ingest", "api", "forwarder", "alarms", "console")
POLL_S = 0.1


def service_command(name: str, settings: Settings, *arguments: str) -> ServiceCommand:
    """How a service of this installation is run with these settings."""
    argv = (sys.executable, "-m", "gatewatch", name, *arguments)
    return ServiceCommand(name=name, argv=argv, environment=environment_of(settings))


def run_up(settings: Settings) -> int:
    """Start the services, keep them running until Ctrl-C or SIGTERM, stop them; the exit status.

    `Refusal` when another supervisor has the data folder, or a port is taken.
    """
    with supervised(settings.data_path):
        refuse_taken_ports(settings, console=True)
        return _run(settings)


def refuse_taken_ports(settings: Settings, *, console: bool) -> None:
    """`PortTaken` if the API, or the console where there shall be one, could not listen."""
    refuse_taken(settings.api_host, settings.api_port, "--api-port")
    if console:
        refuse_taken(settings.console_host, settings.console_port, "--console-port")


def _run(settings: Settings) -> int:
    stop = stop_event()
    has_network = settings.inventory_path.exists() or _is_network_known(settings)
    supervisor = Supervisor(settings.data_path / "logs", log_bytes_max=settings.log_bytes_max)
    for name in SERVICES:
        supervisor.start(service_command(name, settings))
    typer.echo(f"AWS API   http://{settings.api_host}:{settings.api_port}")
    typer.echo(f"console   http://{settings.console_host}:{settings.console_port}")
    typer.echo(f"logs      {settings.data_path / 'logs'}")
    if not has_network:
        typer.echo(f"waiting for a network: write {settings.inventory_path} (docs/how-to.md) or run `gatewatch lab up`")
    typer.echo("Ctrl-C stops everything.")
    try:
        supervisor.watch(stop, POLL_S)
    finally:
        typer.echo("stopping ...")
        supervisor.stop_all()
    return 0


def _is_network_known(settings: Settings) -> bool:
    """Whether the state store has a network of before; one that cannot be read is told by the services."""
    from forwarder.control.store import Store  # what commands that only ask do not load

    path = settings.data_path / "state.sqlite"
    if not path.exists():
        return False
    try:
        store = Store.open(path)
    except BadDatabase:
        return True
    try:
        return bool(store.network().vpcs)
    finally:
        store.close()
