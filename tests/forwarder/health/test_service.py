"""The prober against a real store, a real spool and servers on the loopback interface."""

from __future__ import annotations

import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from forwarder.desired import Desired, HealthCheck, LoadBalancer, Target, TargetGroup, TargetState
from forwarder.health.probe import Outcome, ProbeResult
from forwarder.health.probe_threads import ProbeThreads
from forwarder.health.schedule import Schedule
from forwarder.health.service import Prober
from forwarder.inventory import Instance, Inventory, Node, Subnet, Vpc, Zone
from gatewatch.bus import Draft
from gatewatch.records import topics
from gatewatch.records.target_health import TargetHealthChange
from gatewatch.settings import load
from gatewatch.status_file import read_status

INVENTORY = Inventory(
    zones=(Zone(name="a", id="az1"),), vpcs=(Vpc(id="vpc", cidr="127.0.0.0/8"),),
    subnets=(Subnet(id="subnet-a", vpc_id="vpc", cidr="127.0.0.0/8", zone="a"),),
    nodes=(Node(interface_id="eni-a", subnet_id="subnet-a", address="127.0.0.1", device="lo"),),
)


class FakeStore:
    """A store that keeps one target and lets tests look."""

    def __init__(self, port: int) -> None:
        self.state = ("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
        self.changes = 0
        self.failures = 0
        self.instance_id = ""
        self.network = INVENTORY
        self._check = HealthCheck(port=port, interval_s=5, timeout_s=2)

    def revision(self) -> int:
        return self.changes

    def desired(self) -> Desired:
        target = Target(
            id="i-1", address="127.0.0.1", zone="a", state=TargetState(self.state[0]), reason=self.state[1],
            description=self.state[2], instance_id=self.instance_id,
        )
        group = TargetGroup(
            arn="arn:tg:targetgroup/fw/1", name="fw", vpc_id="vpc", health_check=self._check, targets=(target,)
        )
        return Desired(revision=self.changes, load_balancers=(LoadBalancer(
            arn="arn:lb:loadbalancer/gwy/g/1", name="g", vpc_id="vpc", subnet_ids=("subnet-a",), target_group=group,
        ),), network=self.network)

    def observe(self, observations: Any) -> None:
        if self.failures:
            self.failures -= 1
            raise sqlite3.OperationalError("disk I/O error")
        for seen in observations:
            self.state = (str(seen.state), seen.reason, seen.description)
            self.changes += 1


class FakePublisher:
    """A bus that can be told to fail."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.broken = False

    def publish(self, drafts: Any, *, source: Any = None) -> None:
        if self.broken:
            raise OSError(28, "No space left on device")
        self.drafts += drafts

    def changes(self) -> list[TargetHealthChange]:
        assert all(draft.topic == topics.TARGET_HEALTH for draft in self.drafts)
        lines = [line for draft in self.drafts for line in draft.value.split(b"\n")]
        return [msgspec.json.decode(line, type=TargetHealthChange) for line in lines]


@pytest.fixture
def prober(tmp_path: Path) -> Any:
    """Build a prober for a port; gives it with its store and bus."""
    threads = ProbeThreads({""}, 2)

    def build(port: int) -> tuple[Prober, FakeStore, FakePublisher]:
        store, publisher = FakeStore(port), FakePublisher()
        settings = load({"data": str(tmp_path)}, environment={})
        return Prober(settings, Schedule(INVENTORY), threads, store, publisher), store, publisher  # type: ignore[arg-type]

    yield build
    threads.close()


def turn_until(prober: Prober, condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come to that"
        prober.turn(0.05)


def test_a_healthy_target_is_told_to_store_and_bus(prober: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        made, store, publisher = prober(server.getsockname()[1])
        turn_until(made, lambda: store.state == ("healthy", "", ""))
    assert [(change.previous_state, change.state) for change in publisher.changes()] == [
        ("initial", "initial"), ("initial", "healthy")
    ]
    assert publisher.changes()[-1].target_group == "targetgroup/fw/1"
    status = read_status(tmp_path, "health")
    assert status is not None
    assert status["errors"] == 0


def test_a_bus_that_takes_nothing_does_not_keep_the_store_from_knowing(prober: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        made, store, publisher = prober(server.getsockname()[1])
        publisher.broken = True
        turn_until(made, lambda: store.state[0] == "healthy")
        assert publisher.drafts == []
        publisher.broken = False
        turn_until(made, lambda: bool(publisher.drafts))
    assert [change.state for change in publisher.changes()] == ["initial", "healthy"]


def test_a_store_that_fails_for_a_while_learns_the_state_afterwards(prober: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        made, store, publisher = prober(server.getsockname()[1])
        store.failures = 3
        stop = threading.Event()
        thread = threading.Thread(target=made.run, args=(stop,))
        thread.start()
        deadline_s = time.monotonic() + 60
        while store.state[0] != "healthy" and time.monotonic() < deadline_s:
            stop.wait(0.02)
        stop.set()
        thread.join()
    assert store.state == ("healthy", "", "")
    assert [change.state for change in publisher.changes()] == ["initial", "healthy"]


def test_a_store_that_takes_nothing_neither_stops_the_probes_nor_silences_the_prober(prober: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        made, store, publisher = prober(server.getsockname()[1])
        store.failures = 1_000_000

        def known_healthy_all_the_same() -> bool:
            status = read_status(tmp_path, "health")
            return status is not None and status["errors"] > 2 and status["targets"][0]["state"] == "healthy"

        turn_until(made, known_healthy_all_the_same)
        store.failures = 0
        turn_until(made, lambda: store.state[0] == "healthy")
    assert [change.state for change in publisher.changes()] == ["initial", "healthy"]


def test_changes_carry_the_time_of_day_also_after_the_machine_slept(prober: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        made, store, publisher = prober(server.getsockname()[1])
        asleep_s = 7_200.0
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + asleep_s)
        turn_until(made, lambda: store.state[0] == "healthy")
    assert abs(publisher.changes()[-1].time / 1000 - now() - asleep_s) < 60


def test_an_instance_that_stops_is_no_target_any_more_though_the_prober_goes_on(prober: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        made, store, _ = prober(server.getsockname()[1])
        store.instance_id = "i-1"
        turn_until(made, lambda: store.state[0] == "healthy")
        instance = Instance(
            id="i-1", subnet_id="subnet-a", interface_id="eni-1", address="127.0.0.1", state="stopped"
        )
        store.network = msgspec.structs.replace(INVENTORY, instances=(instance,))
        store.changes += 1
        turn_until(made, lambda: store.state[:2] == ("unused", "Target.InvalidState"))
        store.network = INVENTORY
        store.changes += 1
        turn_until(made, lambda: store.state[0] == "healthy")


def test_probes_that_cannot_be_made_are_told_and_not_by_the_thousand(
    prober: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    made, *_ = prober(1)
    failure = ProbeResult(outcome=Outcome.LOCAL_ERROR, detail="no such source address")
    for _ in range(1000):
        made._tell_local_errors([(("arn", "i-1", "127.0.0.1"), failure)])
    said = "".join(capsys.readouterr())
    assert said.count("a probe could not be made") == 1
    assert "no such source address" in said


def test_the_status_has_the_time_of_day(prober: Any, tmp_path: Path) -> None:
    made, *_ = prober(1)
    made._clock = lambda: 1000.0  # the clock was set since the prober began
    made.turn(0.01)
    status = read_status(tmp_path, "health")
    assert status is not None
    assert abs(status["time"] - time.time()) < 60
