"""The forwarder's threads together, with ports made of socket pairs, a store made of values and a bus made of a list."""

from __future__ import annotations

import dataclasses
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from forwarder import service
from forwarder.datapath.portable import PacketLoop
from forwarder.desired import Desired
from forwarder.inventory import Instance, Inventory
from forwarder.ports import Ports
from forwarder.service import Forwarder, prober_command
from gatewatch.bus import Draft
from gatewatch.records import topics
from gatewatch.settings import load
from gatewatch.status_file import read_status, write_status
from tests.forwarder.one_endpoint import INVENTORY, desired

ENDPOINT, NODE = INVENTORY.endpoints[0].id, INVENTORY.nodes[0].address


class FakePort:
    """Either port: packets are written to `far`; a node's target gives back what `send` got."""

    address = "10.9.0.1"
    down = False
    frames_other = checksums_completed = segments_merged = send_retries = receive_buffer_bytes = 0

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.near.setblocking(False)
        self.delivered: list[bytes] = []
        self.is_node = False

    def fileno(self) -> int:
        return self.near.fileno()

    def receive(self, packets_max: int) -> list[Any]:
        taken: list[Any] = []
        try:
            while len(taken) < packets_max:
                data = self.near.recv(10_000)
                taken.append((data[2:], "10.9.0.2", int.from_bytes(data[:2], "big")) if self.is_node else data)
        except BlockingIOError:
            pass
        return taken

    def new_batch(self) -> None: ...

    def send(self, outer: bytes, target_address: str) -> bool:
        self.far.send(outer[20:22] + outer[28:])
        return True

    def deliver(self, inner: bytes) -> bool:
        self.delivered.append(inner)
        return True

    def kernel_drops(self) -> int:
        return 0

    device = "gwe"
    is_lost = False

    def lost(self) -> bool:
        return self.is_lost

    def follow_address(self) -> None: ...

    def refuse_new(self) -> None: ...

    def close(self) -> None:
        self.near.close()
        self.far.close()


class FakeStore:
    """One load balancer with one healthy target; draining ones are forgotten when told."""

    def __init__(self) -> None:
        self.number = 1
        self.activated: list[str] = []
        self.drained_at_s: list[float] = []
        self.deregistered_at_s: float | None = None
        self.network_now = INVENTORY
        self.network_changes = 0
        self.present: dict[str, Any] = {}

    def flow_secret(self) -> bytes:
        return bytes(32)

    def network(self) -> Inventory:
        return self.network_now

    def change_network(self, network: Inventory) -> None:
        self.network_now = network
        self.number += 1

    def observe_network(self, present: dict[str, Any]) -> None:
        self.present = present

    def revision(self) -> int:
        return self.number

    def desired(self) -> Desired:
        return dataclasses.replace(
            desired(self.number, self.deregistered_at_s), network=self.network_now, network_revision=self.network_changes
        )

    def activate(self, arns: Any) -> None:
        self.activated += list(arns)

    def drop_drained(self, now_s: float) -> None:
        self.drained_at_s.append(now_s)


class FakeImport:
    """An inventory file that nobody changes."""

    problem = ""

    def look(self) -> None: ...


class FakePublisher:
    """A bus made of a list."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.flushed = False

    def publish(self, drafts: Any, *, source: Any = None) -> None:
        self.drafts += drafts

    def flush(self, timeout_s: float) -> bool:
        self.flushed = True
        return True


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[tuple[Forwarder, FakePort, FakePort, FakeStore, FakePublisher]]:
    settings = load({"data": str(tmp_path), "maglev_slots": "251"}, environment={})
    endpoint, node, store, publisher = FakePort(), FakePort(), FakeStore(), FakePublisher()
    node.is_node = True
    ports: Any = Ports(
        receive_buffer_bytes=1, endpoints={ENDPOINT: endpoint}, nodes={NODE: node},  # type: ignore[dict-item]
        _made_for={ENDPOINT: INVENTORY.endpoints[0], NODE: INVENTORY.nodes[0]},
    )
    made: Any = Forwarder(settings, store, FakeImport(), publisher, ports)  # type: ignore[arg-type]
    yield made, endpoint, node, store, publisher
    endpoint.close()
    node.close()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come to that"
        threading.Event().wait(0.01)


def packet(length: int) -> bytes:
    addresses = socket.inet_aton("203.0.113.9") + socket.inet_aton("10.0.3.7")
    return bytes([0x45, 0]) + length.to_bytes(2, "big") + bytes([0, 1, 0, 0, 64, 17, 0, 0]) + addresses \
        + bytes([0x13, 0x88, 0, 53]) + (length - 20).to_bytes(2, "big") + bytes(2) + bytes(length - 28)


def test_a_packet_goes_round_and_everything_about_it_is_told_in_the_end(parts: Any, tmp_path: Path) -> None:
    forwarder, endpoint, _, store, publisher = parts
    forwarder.start()
    assert store.activated == ["arn:lb:loadbalancer/gwy/g/1"]
    for length in (100, 200, 8501):
        endpoint.far.send(packet(length))
    wait_until(lambda: len(endpoint.delivered) == 2)
    forwarder.stop()
    assert endpoint.delivered == [packet(100), packet(200)]
    status = read_status(tmp_path, "forwarder")
    assert status is not None
    assert status["packets"] == {
        "offered": 3, "sent": 2, "returned": 2, "originated": 0, "delivered": 2, "without_entry": 0, "unrecorded": 0,
        "dropped": {"oversize": 1},
        "refused": {},
    }
    assert status["errors"] == {"packets": 0, "telemetry": 0, "control": 0}
    assert {draft.topic for draft in publisher.drafts} == {topics.FLOW_LOGS, topics.METRICS}
    assert sum(status["records"].values()) == sum(draft.records for draft in publisher.drafts)
    assert publisher.flushed


def test_control_follows_the_store_and_lets_drained_targets_go(parts: Any, tmp_path: Path) -> None:
    forwarder, _, _, store, _ = parts
    forwarder.start()
    stop, polled = threading.Event(), []
    thread = threading.Thread(target=forwarder.control, args=(stop, polled.append))
    thread.start()
    store.deregistered_at_s = 1.0
    store.number = 2
    write_status(tmp_path, "health", 0.0, {"probe_packets": [{"load_balancer": "g", "zone": "a", "packets": 7}]})
    wait_until(lambda: bool(store.drained_at_s) and (read_status(tmp_path, "forwarder") or {}).get("revision") == 2)
    stop.set()
    thread.join()
    assert polled
    assert forwarder._view.probe_packets == {("g", "a"): 7}
    forwarder.stop()
    assert forwarder.loop.counts.plans >= 1


def test_a_forwarder_that_never_started_can_be_stopped(parts: Any) -> None:
    forwarder, *_, publisher = parts
    forwarder.stop()
    assert publisher.flushed
    assert isinstance(forwarder.loop, PacketLoop)


def test_the_prober_is_run_with_the_same_settings(tmp_path: Path) -> None:
    command = prober_command(load({"data": str(tmp_path), "probe_threads_max": "3"}, environment={}))
    assert command.argv == (sys.executable, "-m", "forwarder.health.service")
    again = load(environment=command.environment)
    assert (again.data, again.probe_threads_max) == (str(tmp_path), 3)


def test_another_instance_does_not_cost_the_connections_there_are(parts: Any) -> None:
    forwarder, endpoint, node, store, _ = parts
    instance = Instance(id="i-2", subnet_id="subnet-n", interface_id="eni-i2", address="10.9.0.3")
    store.change_network(replace(INVENTORY, instances=(instance,)))
    forwarder._follow_store()
    assert forwarder._view.inventory.instances == (instance,)
    assert (forwarder._ports.endpoints, forwarder._ports.nodes) == ({ENDPOINT: endpoint}, {NODE: node})
    forwarder.stop()


def test_control_goes_on_whatever_fails_and_says_so_once(
    parts: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    forwarder, _, _, store, _ = parts
    forwarder.start()
    monkeypatch.setattr(service, "CONTROL_S", 0.001)
    monkeypatch.setattr(service, "STATUS_S", 0.001)

    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "revision", fail)
    stop = threading.Event()
    thread = threading.Thread(target=forwarder.control, args=(stop, fail))
    thread.start()
    wait_until(lambda: (read_status(tmp_path, "forwarder") or {}).get("errors", {}).get("control", 0) > 50)
    assert thread.is_alive()
    stop.set()
    thread.join()
    forwarder.stop()
    assert "".join(capsys.readouterr()).count("Traceback") == 1


def test_a_load_balancer_is_called_active_once_the_store_takes_it(
    parts: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forwarder, _, _, store, _ = parts
    forwarder.start()
    store.activated.clear()
    forwarder._activated = frozenset()
    failures = [sqlite3.OperationalError("database is locked")] * 3
    activate = store.activate

    def busy(arns: Any) -> None:
        if failures:
            raise failures.pop()
        activate(arns)

    monkeypatch.setattr(store, "activate", busy)
    store.number = 2
    stop = threading.Event()
    thread = threading.Thread(target=forwarder.control, args=(stop, lambda now_s: None))
    thread.start()
    wait_until(lambda: bool(store.activated))
    stop.set()
    thread.join()
    forwarder.stop()
    assert store.activated == ["arn:lb:loadbalancer/gwy/g/1"]


def test_a_device_that_is_gone_is_let_go_and_waited_for(parts: Any, tmp_path: Path) -> None:
    forwarder, endpoint, node, *_ = parts
    forwarder.start()
    endpoint.is_lost = True
    forwarder._follow_devices()
    wait_until(lambda: endpoint.fileno() < 0)
    assert node.fileno() >= 0
    forwarder._follow_devices()
    forwarder._write_status()
    status = read_status(tmp_path, "forwarder")
    assert status is not None
    assert set(status["devices_missing"]) == {"gwe"}
    assert (status["endpoints"][0]["id"], status["endpoints"][0]["down"]) == (ENDPOINT, True)
    forwarder.stop()


def test_an_endpoint_that_goes_takes_its_port_along_and_leaves_its_counts(parts: Any, tmp_path: Path) -> None:
    forwarder, endpoint, node, store, _ = parts
    forwarder.start()
    endpoint.far.send(packet(8501))
    wait_until(lambda: forwarder.loop.counters.whole.offered == 1)
    store.change_network(replace(INVENTORY, endpoints=()))
    forwarder._follow_store()
    wait_until(lambda: endpoint.fileno() < 0)
    assert node.fileno() >= 0
    forwarder.stop()
    status = read_status(tmp_path, "forwarder")
    assert status is not None
    assert (status["endpoints"], status["endpoints_gone"]["offered"], status["packets"]["offered"]) == ([], 1, 1)


def test_the_store_is_told_which_endpoints_and_nodes_have_their_port(parts: Any) -> None:
    forwarder, *_, store, _ = parts
    forwarder._observe()
    assert store.present == {"endpoints": {ENDPOINT}, "nodes": {"eni-n"}}
    store.present = {}
    forwarder._observe()
    assert store.present == {}, "only what is new"
    store.network_changes += 1  # it went and came back meanwhile
    store.number += 1
    forwarder._follow_store()
    forwarder._observe()
    assert store.present == {"endpoints": {ENDPOINT}, "nodes": {"eni-n"}}
    del forwarder._ports.endpoints[ENDPOINT]
    forwarder._observe()
    assert store.present == {"endpoints": set(), "nodes": {"eni-n"}}
    forwarder.stop()


def test_the_next_run_carries_on_what_this_one_counted(parts: Any, tmp_path: Path) -> None:
    forwarder, endpoint, *_ = parts
    forwarder.start()
    endpoint.far.send(packet(8501))
    wait_until(lambda: forwarder.loop.counters.endpoints[ENDPOINT].offered == 1)
    forwarder._write_status()
    assert service.before(read_status(tmp_path, "forwarder"))["cut_short"] == 1
    forwarder.stop()
    carried = service.before(read_status(tmp_path, "forwarder"))
    assert (carried["runs"], carried["cut_short"]) == (1, 0)
    assert carried["packets"]["dropped"] == {"oversize": 1}
    assert carried["endpoints"]["vpce-00000000000000001"]["offered"] == 1


def test_the_prober_waits_for_the_broker_beside_the_forwarder_and_not_after_it(parts: Any) -> None:
    forwarder, _, _, _, publisher = parts
    forwarder.start()
    flushed: list[bool] = []
    forwarder.stop(before_flush=lambda: flushed.append(publisher.flushed))
    assert flushed == [False]
    assert publisher.flushed
