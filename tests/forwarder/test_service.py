"""The forwarder's threads together, with ports made of socket pairs, a store made of values and a bus made of a list."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from forwarder import service
from forwarder.datapath.portable import PacketLoop
from forwarder.desired import Desired, LoadBalancer, Target, TargetGroup, TargetState
from forwarder.inventory import Endpoint, Inventory, Node, Subnet, Vpc, Zone
from forwarder.service import Forwarder, prober_command
from gatewatch.bus import Draft
from gatewatch.records import topics
from gatewatch.settings import load
from gatewatch.status_file import read_status, write_status

INVENTORY = Inventory(
    zones=(Zone(name="us-east-1a", id="use1-az1"),),
    vpcs=(Vpc(id="vpc-c", cidr="10.0.0.0/16"), Vpc(id="vpc-p", cidr="10.9.0.0/16")),
    subnets=(
        Subnet(id="subnet-e", vpc_id="vpc-c", cidr="10.0.1.0/24", zone="us-east-1a"),
        Subnet(id="subnet-n", vpc_id="vpc-p", cidr="10.9.0.0/24", zone="us-east-1a"),
    ),
    nodes=(Node(interface_id="eni-n", subnet_id="subnet-n", address="10.9.0.1", device="gwn"),),
    endpoints=(Endpoint(
        id="vpce-00000000000000001", interface_id="eni-e", subnet_id="subnet-e", address="10.0.1.10", device="gwe",
        provider_vpc_id="vpc-p", router_mac="02:00:00:00:00:01",
    ),),
)


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

    def revision(self) -> int:
        return self.number

    def desired(self) -> Desired:
        target = Target(
            id="i-1", address="10.9.0.2", zone="us-east-1a", state=TargetState.HEALTHY,
            deregistered_at_s=self.deregistered_at_s,
        )
        group = TargetGroup(arn="arn:tg:targetgroup/fw/1", name="fw", vpc_id="vpc-p", targets=(target,))
        return Desired(revision=self.number, load_balancers=(LoadBalancer(
            arn="arn:lb:loadbalancer/gwy/g/1", name="g", vpc_id="vpc-p", subnet_ids=("subnet-n",), target_group=group,
        ),))

    def activate(self, arns: Any) -> None:
        self.activated += list(arns)

    def drop_drained(self, now_s: float) -> None:
        self.drained_at_s.append(now_s)


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
    made: Any = Forwarder(settings, INVENTORY, store, publisher, [endpoint], [node])  # type: ignore[arg-type, list-item]
    yield made, endpoint, node, store, publisher
    endpoint.close()
    node.close()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 10
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
        "offered": 3, "sent": 2, "returned": 2, "originated": 0, "delivered": 2, "unrecorded": 0, "dropped": {"oversize": 1},
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


def test_start_up_waits_for_what_is_not_there_yet_and_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "WAIT_S", 0.001)
    looks: list[int] = []

    def look() -> str | None:
        looks.append(1)
        return "found" if len(looks) == 3 else None

    assert service._wait_for("it", look, threading.Event()) == "found"
    stopped = threading.Event()
    stopped.set()
    assert service._wait_for("it", lambda: None, stopped) is None


def test_a_device_that_is_gone_ends_control_so_that_all_is_opened_anew(parts: Any) -> None:
    forwarder, endpoint, *_ = parts
    forwarder.start()
    endpoint.is_lost = True
    forwarder.control(threading.Event(), lambda now_s: None)
    forwarder.stop()


def test_another_inventory_ends_control_so_that_all_is_opened_anew(parts: Any, tmp_path: Path) -> None:
    forwarder, *_ = parts
    forwarder.start()
    (tmp_path / "inventory.toml").write_text('zones = [{ name = "us-east-1b", id = "use1-az2" }]', encoding="utf-8")
    forwarder.control(threading.Event(), lambda now_s: None)
    forwarder.stop()


def test_the_next_run_carries_on_what_this_one_counted(parts: Any, tmp_path: Path) -> None:
    forwarder, endpoint, *_ = parts
    forwarder.start()
    endpoint.far.send(packet(8501))
    wait_until(lambda: forwarder.loop.counters.endpoints[0].offered == 1)
    forwarder._write_status()
    assert service.before(read_status(tmp_path, "forwarder"))["cut_short"] == 1
    forwarder.stop()
    carried = service.before(read_status(tmp_path, "forwarder"))
    assert (carried["runs"], carried["cut_short"]) == (1, 0)
    assert carried["packets"]["dropped"] == {"oversize": 1}
    assert carried["endpoints"]["vpce-00000000000000001"]["offered"] == 1


def test_an_inventory_that_is_wrong_now_leaves_the_one_there_was(
    parts: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forwarder, *_ = parts
    path = tmp_path / "inventory.toml"
    path.write_text("[[nodes]]\nx=", encoding="utf-8")
    assert not forwarder._network_has_changed()
    assert not forwarder._network_has_changed()
    assert "".join(capsys.readouterr()).count("the inventory cannot be used") == 1
    forwarder._write_status()
    assert str(path) in (read_status(tmp_path, "forwarder") or {})["inventory_problem"]
    path.write_text('zones = [{ name = "us-east-1b", id = "use1-az2" }]', encoding="utf-8")
    assert forwarder._network_has_changed()
    forwarder._write_status()
    assert (read_status(tmp_path, "forwarder") or {})["inventory_problem"] == ""
    forwarder.stop()


def test_the_prober_waits_for_the_broker_beside_the_forwarder_and_not_after_it(parts: Any) -> None:
    forwarder, _, _, _, publisher = parts
    forwarder.start()
    flushed: list[bool] = []
    forwarder.stop(before_flush=lambda: flushed.append(publisher.flushed))
    assert flushed == [False]
    assert publisher.flushed
