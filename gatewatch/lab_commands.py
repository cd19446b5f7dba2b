"""`gatewatch lab up|run|show|down`."""

from __future__ import annotations

import time
from collections.abc import Callable

import typer

from forwarder.control.store import Store
from forwarder.lab.caretaker import Caretaker
from forwarder.lab.lab import Lab
from forwarder.lab.privilege import BadEnvironment, ensure_privileges, join_if_held
from gatewatch import data_folder
from gatewatch.demo.balancer import client, create_balancer, is_balancer_missing, wait_for_api
from gatewatch.demo.crew import Crew
from gatewatch.demo.stage import traffic_command
from gatewatch.service import stop_event
from gatewatch.settings import Settings
from gatewatch.status_file import write_status
from gatewatch.supervisor import Supervisor

API_WAIT_S = 60.0
STATUS_EVERY_S = 1.0
POLL_S = 0.1


def lab_up(settings: Settings) -> None:
    """Build the network.  `BadEnvironment` when this machine does not let it be made."""
    ensure_privileges(settings.data_path)
    with data_folder.lab_run(settings.data_path):
        lab = Lab.up(settings.data_path, name=settings.lab_name)
    typer.echo(f"the lab is up: {len(lab.plan.namespaces)} network namespaces, inventory {settings.inventory_path}")
    typer.echo(
        "`gatewatch lab show` prints it; `gatewatch lab run` adds appliances and traffic; `gatewatch lab down` removes it"
    )


def lab_show(settings: Settings) -> None:
    """Print the network.  `NoLab` when there is none."""
    from forwarder.lab.show import show

    show(Lab.read(settings.data_path))


def lab_down(settings: Settings, *, name: str = "") -> None:
    """Remove the network, and the lab called `name` whose data folder is lost."""
    join_if_held(settings.data_path)
    with data_folder.lab_run(settings.data_path):
        removed = Lab.down(settings.data_path, name=name)
    typer.echo(
        f"removed {removed.namespaces} network namespaces" if removed.namespaces else "there was no lab to remove"
    )


def lab_run(settings: Settings, *, balancer: bool, rate: float) -> None:
    """Build the network, run appliances and traffic in it until SIGTERM or Ctrl-C, take it down."""
    ensure_privileges(settings.data_path)
    with data_folder.lab_run(settings.data_path):
        _run(settings, balancer=balancer, rate=rate)


def _run(settings: Settings, *, balancer: bool, rate: float) -> None:
    stop = stop_event()
    lab = Lab.up(settings.data_path, name=settings.lab_name)
    store = Store.open(settings.data_path / "state.sqlite")
    supervisor = Supervisor(settings.data_path / "logs", log_bytes_max=settings.log_bytes_max)
    try:
        crew = Crew(supervisor, settings)
        crew.follow(lab)
        supervisor.start(traffic_command(settings, rate))
        if balancer:
            _create_balancer(settings, lab)
        typer.echo(
            f"the lab runs: {len(lab.appliances)} appliances, {rate:g} connections a second; Ctrl-C takes it down"
        )
        _watch(settings, supervisor, Caretaker(lab, store), crew, stop.wait)
    finally:
        supervisor.stop_all()
        store.close()
        Lab.down(settings.data_path)


def _create_balancer(settings: Settings, lab: Lab) -> None:
    elbv2 = client(settings)
    if not wait_for_api(elbv2, API_WAIT_S):
        raise BadEnvironment(f"the API did not answer within {API_WAIT_S:.0f} s, so the load balancer was not created")
    if is_balancer_missing(elbv2, lab.inventory):
        create_balancer(elbv2, lab.inventory, [machine.instance_id for machine in lab.appliances])


def _watch(
    settings: Settings, supervisor: Supervisor, caretaker: Caretaker, crew: Crew, wait: Callable[[float], bool]
) -> None:
    written_s = 0.0
    while not wait(POLL_S):
        now_s = time.monotonic()
        supervisor.poll(now_s)
        caretaker.look()
        crew.follow(caretaker.lab)
        if now_s - written_s >= STATUS_EVERY_S:
            written_s = now_s
            write_status(settings.data_path, "lab", time.time(), {"services": supervisor.names()})
