"""The containers' commands and environment, run as separate processes against a real broker: the split deployment works.

No container engine is needed: a compose client resolves `docker-compose.yml` (so that is checked too), and each service's
command runs here with its own environment, in which only what this machine has one of is put in its place: data folder,
broker, ports, and the name of the lab's namespaces.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from gatewatch.settings import Settings, entries
from gatewatch.status_file import read_all
from queries.books import chain
from queries.lake import Lake
from tests.end_to_end.demo_run import end
from tests.ports import free_port

pytestmark = [pytest.mark.network, pytest.mark.broker, pytest.mark.compose, pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
SERVICES = ("api", "forwarder", "ingest", "alarms", "console", "lab")
STOP_ORDER = ("lab", "forwarder", "api", "alarms", "console", "ingest")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file as its client understands it, with the lab's profile."""
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("no docker-compose on this machine")
    text = subprocess.run(
        [program, "--profile", "lab", "config"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "GATEWATCH_LAB_CAPABILITY": "SYS_ADMIN"},
    ).stdout
    return dict(yaml.safe_load(text))


@dataclass(slots=True)
class Deployment:
    """The running services."""

    data: Path
    broker: str
    api_port: int
    console_port: int
    processes: dict[str, subprocess.Popen[bytes]]

    def environment(self, service: dict[str, Any]) -> dict[str, str]:
        """The service's own, with this machine's data folder, broker, ports and lab."""
        places = {
            "/data": str(self.data),
            "kafka://kafka:9092": f"kafka://{self.broker}",
            "kafka://127.0.0.1:19092": f"kafka://{self.broker}",
        }
        own = {name: places.get(str(value), str(value)) for name, value in service["environment"].items()}
        here = {
            "GATEWATCH_API_PORT": str(self.api_port), "GATEWATCH_CONSOLE_PORT": str(self.console_port),
            "GATEWATCH_LAB_NAME": f"gwsplit{os.getpid()}",
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GATEWATCH_")}
        return {**inherited, **own, **here}

    def run(self, name: str, service: dict[str, Any]) -> None:
        """Start it as its container would."""
        log = (self.data / f"{name}.log").open("wb")
        with log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "gatewatch", *service["command"]],
                env=self.environment(service),
                stdout=log,
                stderr=log,
                cwd=ROOT,
            )

    def healthy(self, service: dict[str, Any]) -> bool:
        """What the container's health check says."""
        kind, program, *arguments = service["healthcheck"]["test"]
        assert (kind, program) == ("CMD", "gatewatch")
        done = subprocess.run(
            [sys.executable, "-m", "gatewatch", *arguments],
            env=self.environment(service),
            capture_output=True,
            check=False,
            cwd=ROOT,
        )
        return done.returncode == 0


def wait_for(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, what
        threading.Event().wait(0.2)


@pytest.fixture(scope="module")
def deployment(
    compose: dict[str, Any], kafka_broker: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    one = Deployment(
        data=tmp_path_factory.mktemp("split"), broker=kafka_broker, api_port=free_port(), console_port=free_port(), processes={}
    )
    try:
        for name in SERVICES:
            one.run(name, compose["services"][name])
        yield one
    finally:
        for name in STOP_ORDER:
            process = one.processes.get(name)
            if process is not None and process.poll() is None:
                end(process)


def test_every_variable_is_a_setting(compose: dict[str, Any]) -> None:
    known = {entry.environment for entry in entries()}
    for name in SERVICES:
        assert set(compose["services"][name]["environment"]) <= known, name


def test_the_published_ports_are_the_ones_the_services_listen_on(compose: dict[str, Any]) -> None:
    for name, port in (("api", Settings().api_port), ("console", Settings().console_port)):
        (published,) = compose["services"][name]["ports"]
        if isinstance(published, dict):  # as version 2 of the client tells it
            published = f"{published['host_ip']}:{published['published']}:{published['target']}"
        assert published.removesuffix("/tcp") == f"127.0.0.1:{port}:{port}", name


def test_every_service_has_a_health_check_and_a_volume(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["healthcheck"]["test"], name
        assert service["volumes"], name


def test_the_forwarder_has_only_the_capabilities_it_needs(compose: dict[str, Any]) -> None:
    forwarder = compose["services"]["forwarder"]
    assert forwarder["cap_drop"] == ["ALL"]
    assert sorted(forwarder["cap_add"]) == ["NET_ADMIN", "NET_RAW", "SYS_ADMIN"]  # the last one for the lab
    assert "privileged" not in forwarder


def test_every_service_becomes_healthy(deployment: Deployment, compose: dict[str, Any]) -> None:
    for name in SERVICES:
        wait_for(lambda name=name: deployment.healthy(compose["services"][name]), 120, f"{name} is not healthy")  # type: ignore[misc]


def test_packets_become_rows_through_the_broker(deployment: Deployment) -> None:
    def rows() -> int:
        found = Lake(deployment.data).fetch(
            "select count(*) as n from metrics where metric_name = 'PacketsDelivered' and sum > 0", tables=("metrics",)
        )
        return int(found.to_pylist()[0]["n"])

    wait_for(lambda: rows() > 0, 300, "no delivered packets in the lake")


def test_the_console_answers(deployment: Deployment) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{deployment.console_port}/health", timeout=60) as answer:
        assert answer.status == 200


def test_the_books_balance_once_all_has_come_to_rest(deployment: Deployment) -> None:
    for name in STOP_ORDER[:-1]:
        deployment.processes[name].terminate()
        assert deployment.processes[name].wait(90) == 0, (deployment.data / f"{name}.log").read_text()[-2000:]
    wait_for(lambda: not any(hop.held for hop in chain(deployment.data).hops), 120, "records are held")
    deployment.processes["ingest"].terminate()
    assert deployment.processes["ingest"].wait(90) == 0
    books = chain(deployment.data)
    assert books.differences == []
    packets = read_all(deployment.data)["forwarder"]["packets"]
    assert packets["offered"] == packets["delivered"] + sum(packets["dropped"].values()) > 0
