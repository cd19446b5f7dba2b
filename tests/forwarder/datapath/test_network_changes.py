"""The network changes while packets pass: an endpoint comes, is used and goes, twenty times, and another does not notice."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from forwarder.capture.closed import Closed
from forwarder.capture.counters import EndpointCounters, add_up
from forwarder.datapath.network import Network
from forwarder.datapath.portable import PacketLoop
from forwarder.datapath.steady_clock import SteadyClock
from forwarder.engine.engine import Engine
from forwarder.inventory import Endpoint, Inventory
from forwarder.network_namespace import run_in
from forwarder.plan import make_plan
from forwarder.ports import Ports
from tests.forwarder.datapath.arrival import wait_for
from tests.forwarder.datapath.conftest import ip
from tests.forwarder.datapath.test_portable import CLIENT, ENDPOINT, SERVER, udp
from tests.forwarder.one_endpoint import INVENTORY, TARGET, desired

pytestmark = pytest.mark.network

TIMES, PACKETS, FLOWS = 20, 5, 8
SECOND = "vpce-00000000000000002"


class Router:
    """The far end of an endpoint's wire: sends packets to it, counts what comes back."""

    def __init__(self, namespace: str, device: str) -> None:
        self.came_back = 0
        self._socket = run_in(namespace, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
        self._socket.bind((device, 3))
        self._socket.settimeout(0.1)
        self.mac: bytes = self._socket.getsockname()[4]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._count)
        self._thread.start()

    def send(self, endpoint_mac: bytes, packet: bytes) -> None:
        self._socket.send(endpoint_mac + self.mac + b"\x08\x00" + packet)

    def _count(self) -> None:
        while not self._ended.is_set():
            try:
                self.came_back += self._socket.recv(9100).startswith(self.mac)
            except (TimeoutError, OSError):
                continue

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()


class Gateway:
    """A packet loop on real ports that follows an inventory."""

    def __init__(self, inventory: Inventory) -> None:
        clock = SteadyClock()
        self.outbox: queue.Queue[Closed] = queue.Queue(512)
        self.engine = Engine(flows_max=1000, rejects_max=100, secret=bytes(32))
        self.loop = PacketLoop(self.engine, self.outbox, clock=clock, synchronize=clock.synchronize, batch_packets_max=64,
                               capture_window_s=1, capture_rows_max=20_000, sample_s=1)
        self.ports = Ports(receive_buffer_bytes=1 << 20)
        self.follow(inventory)
        self._thread = threading.Thread(target=self.loop.run)
        self._thread.start()

    def follow(self, inventory: Inventory) -> None:
        self.ports.follow(inventory)
        plan = make_plan(desired(), inventory, maglev_slots=251)
        self.loop.follow(Network(plan=plan, endpoints=dict(self.ports.endpoints), nodes=dict(self.ports.nodes)))

    def stop(self) -> None:
        self.loop.stop()
        self._thread.join()


@pytest.fixture
def place(network: Any) -> Iterator[tuple[Any, str, str]]:
    """The first endpoint's wire, the node's, and a target that gives everything back; (network, gateway's, router's namespace)."""
    middle, router, provider = network.namespace("g"), network.namespace("r"), network.namespace("p")
    network.pair((middle, "gwe"), (router, "gwr"))
    network.pair((middle, "gwn"), (provider, "gwt"))
    network.address(middle, "gwn", "10.9.0.1/24")
    network.address(provider, "gwt", f"{TARGET}/24")
    target = run_in(provider, lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP))
    target.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
    target.settimeout(0.1)
    ended = threading.Event()

    def reflect() -> None:
        while not ended.is_set():
            try:
                packet = target.recv(9000)
                target.sendto(packet[:12] + packet[16:20] + packet[12:16] + packet[20:], ("10.9.0.1", 0))
            except TimeoutError:
                continue

    thread = threading.Thread(target=reflect)
    thread.start()
    try:
        yield network, middle, router
    finally:
        ended.set()
        thread.join()
        target.close()


def mac_of(namespace: str, device: str) -> bytes:
    text = ip("-n", namespace, "-o", "link", "show", device).split("link/ether ")[1].split()[0]
    return bytes.fromhex(text.replace(":", ""))


def endpoint_of(middle: str, router: Router, endpoint: Endpoint, **changes: str) -> Endpoint:
    return replace(endpoint, netns=middle, router_mac=router.mac.hex(":"), **changes)


def test_an_endpoint_comes_and_goes_and_another_does_not_notice(place: Any) -> None:
    network, middle, router = place
    first = Router(router, "gwr")
    node = replace(INVENTORY.nodes[0], netns=middle)
    one = replace(INVENTORY, nodes=(node,), endpoints=(endpoint_of(middle, first, INVENTORY.endpoints[0]),))
    gateway = Gateway(one)
    first_mac, sent, ended = mac_of(middle, "gwe"), [0], threading.Event()

    def traffic() -> None:
        while not ended.wait(0.004):
            first.send(first_mac, udp(CLIENT, SERVER, 100, port=5000 + sent[0] % FLOWS))
            sent[0] += 1

    thread = threading.Thread(target=traffic)
    thread.start()
    try:
        wait_for(lambda: first.came_back > 10)
        for _ in range(TIMES):
            use_a_second(network, middle, router, gateway, one)
        ended.set()
        thread.join()
        wait_for(lambda: first.came_back == sent[0])
    finally:
        ended.set()
        thread.join()
        gateway.stop()
        first.close()
    counters = gateway.engine.counters()
    mine = counters.endpoints[ENDPOINT]
    assert (mine.offered, mine.delivered, mine.dropped, mine.new_flows) == (sent[0], sent[0], {}, FLOWS)
    # The last ones may not be part of the sum yet: their flows go when the table is looked through.
    others = add_up([counters.gone, counters.endpoints.get(SECOND, EndpointCounters())])
    assert (others.offered, others.delivered, others.dropped) == (TIMES * PACKETS, TIMES * PACKETS, {})
    assert counters.whole.offered == counters.whole.delivered == sent[0] + TIMES * PACKETS
    windows = [closed.window for closed in iter_queue(gateway.outbox) if closed.window is not None]
    recorded = [(name, packets) for window in windows
                for name, packets in zip(*(window.accepted[each].to_pylist() for each in ("endpoint", "ingress_packets")), strict=True)]
    assert sum(packets for name, packets in recorded if name == ENDPOINT) == sent[0]
    assert sum(packets for name, packets in recorded if name == SECOND) == TIMES * PACKETS
    assert gateway.loop.counts.errors == 0


def use_a_second(network: Any, middle: str, router: str, gateway: Gateway, one: Inventory) -> None:
    """Add an endpoint with its device, send packets through it, remove it."""
    network.pair((middle, "gwe2"), (router, "gwr2"))
    far = Router(router, "gwr2")
    second = endpoint_of(middle, far, one.endpoints[0], id=SECOND, interface_id="eni-e2", device="gwe2", address="10.0.1.11")
    gateway.follow(replace(one, endpoints=(*one.endpoints, second)))
    port = gateway.ports.endpoints[SECOND]
    plans = gateway.loop.counts.plans
    wait_for(lambda: gateway.loop.counts.plans >= plans and SECOND in gateway.loop._endpoints)
    mac = mac_of(middle, "gwe2")
    for number in range(PACKETS):
        far.send(mac, udp(CLIENT, SERVER, 100, port=6000 + number))
    wait_for(lambda: far.came_back == PACKETS)
    gateway.follow(one)
    wait_for(lambda: port.fileno() < 0)
    far.close()
    ip("-n", middle, "link", "delete", "gwe2")


def iter_queue(outbox: queue.Queue[Closed]) -> Iterator[Closed]:
    while not outbox.empty():
        yield outbox.get_nowait()
