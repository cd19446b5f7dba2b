"""The packet loop: with ports made of lists, and on a real network with a target that reflects what it gets."""

from __future__ import annotations

import os
import queue
import select
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from forwarder.capture.closed import Closed
from forwarder.capture.drop_reason import DropReason
from forwarder.datapath.geneve_socket import GENEVE_PORT, NodePort
from forwarder.datapath.network import Network
from forwarder.datapath.packet_socket import EndpointPort
from forwarder.datapath.portable import PacketLoop
from forwarder.engine.engine import Engine
from forwarder.network_namespace import run_in
from forwarder.plan import Plan, make_plan
from tests.forwarder.datapath.fake_ports import FakeEndpoint, FakeNode
from tests.forwarder.one_endpoint import INVENTORY, TARGET, desired

CLIENT, SERVER = "203.0.113.9", "10.0.3.7"
ENDPOINT, NODE = INVENTORY.endpoints[0].id, INVENTORY.nodes[0].address


def plan() -> Plan:
    return make_plan(desired(), INVENTORY, maglev_slots=251)


def engine() -> Engine:
    return Engine(flows_max=1000, rejects_max=100, secret=bytes(32))


def listen(loop: PacketLoop, endpoint: Any, node: Any) -> None:
    """Have the loop use these ports, as it would before its next batch."""
    loop.follow(Network(plan=plan(), endpoints={ENDPOINT: endpoint}, nodes={node.address: node}))
    loop._take_network(1000.0)


def udp(source: str, destination: str, length: int, port: int = 5000) -> bytes:
    """A whole IPv4 UDP packet of `length` bytes (its checksums are nobody's business here)."""
    header = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, length, 1, 0, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(destination)
    )
    return header + struct.pack("!HHHH", port, 53, length - 20, 0) + b"x" * (length - 28)


@pytest.fixture
def parts() -> tuple[Engine, FakeEndpoint, FakeNode, PacketLoop, queue.Queue[Closed]]:
    made, endpoint, node = engine(), FakeEndpoint(), FakeNode()
    outbox: queue.Queue[Closed] = queue.Queue(2)
    loop = PacketLoop(
        made, outbox, clock=lambda: 1000.0, synchronize=lambda: None, batch_packets_max=64, capture_window_s=10,
        capture_rows_max=20_000, sample_s=5,
    )
    listen(loop, endpoint, node)
    loop.begin(1001.0)
    return made, endpoint, node, loop, outbox


def test_a_packet_goes_out_and_comes_back(parts: Any) -> None:
    made, endpoint, _node, loop, _ = parts
    packets = [udp(CLIENT, SERVER, 100), udp(CLIENT, SERVER, 8500), udp(CLIENT, SERVER, 8501)]
    endpoint.waiting = list(packets)
    assert loop.from_endpoint(ENDPOINT, 1001.0) == 3
    assert loop.from_node(NODE, 1001.0) == 2
    assert endpoint.delivered == packets[:2]
    counters = made.counters().endpoints[ENDPOINT]
    assert (counters.offered, counters.delivered) == (3, 2)
    assert counters.dropped == {DropReason.OVERSIZE: 1}


def test_a_full_send_queue_drops_what_did_not_fit_and_nothing_else(parts: Any) -> None:
    made, endpoint, node, loop, _ = parts
    node.full_after = 2
    endpoint.waiting = [udp(CLIENT, SERVER, 100 + size) for size in range(5)]
    loop.from_endpoint(ENDPOINT, 1001.0)
    loop.from_node(NODE, 1001.0)
    counters = made.counters().endpoints[ENDPOINT]
    assert counters.delivered == 2
    assert counters.dropped == {DropReason.SEND_FAILED: 3}


def test_what_the_device_does_not_take_is_counted_and_the_rest_delivered(parts: Any) -> None:
    made, endpoint, _node, loop, _ = parts
    packets = [udp(CLIENT, SERVER, 100 + size) for size in range(3)]
    endpoint.waiting, endpoint.unwilling = list(packets), {packets[1]}
    loop.from_endpoint(ENDPOINT, 1001.0)
    loop.from_node(NODE, 1001.0)
    assert endpoint.delivered == [packets[0], packets[2]]
    assert made.counters().endpoints[ENDPOINT].dropped == {DropReason.DELIVER_FAILED: 1}


def test_kernel_drops_join_the_books(parts: Any) -> None:
    made, endpoint, node, loop, _ = parts
    endpoint.drops, node.drops = 7, 3
    loop.tick(1001.2)
    counters = made.counters()
    assert counters.endpoints[ENDPOINT].offered == 7
    assert counters.endpoints[ENDPOINT].dropped == {DropReason.RECEIVE_QUEUE_FULL: 7}
    assert counters.refused_unattributed == {DropReason.RETURN_QUEUE_FULL: 3}


def test_windows_and_samples_close_on_multiples_of_their_length(parts: Any) -> None:
    *_, loop, outbox = parts
    loop.tick(1004.9)
    assert outbox.empty()
    loop.tick(1005.1)
    closed = outbox.get_nowait()
    assert (closed.end_s, closed.window) == (1005.1, None)
    loop.tick(1010.05)
    closed = outbox.get_nowait()
    assert closed.window is not None
    assert (closed.window.started_s, closed.window.ended_s) == (1001.0, 1010.05)


def test_a_packet_read_past_a_boundary_belongs_to_the_next_window() -> None:
    made, endpoint, outbox, clock = engine(), FakeEndpoint(), queue.Queue[Closed](), [1001.0]
    loop = PacketLoop(
        made, outbox, clock=lambda: clock[0], synchronize=lambda: None, batch_packets_max=64, capture_window_s=10,
        capture_rows_max=20_000, sample_s=10,
    )
    listen(loop, endpoint, FakeNode())
    loop.begin(1001.0)
    for clock[0] in (1009.99, 1010.0, 1020.0):
        endpoint.waiting = [udp(CLIENT, SERVER, 100)]
        loop._turn([(endpoint.fileno(), 1)])
    first, second = outbox.get_nowait().window, outbox.get_nowait().window
    assert first is not None
    assert second is not None
    assert list(first.accepted["ingress_first_s"].to_pylist()) == [1009.99]
    assert list(second.accepted["ingress_first_s"].to_pylist()) == [1010.0]


def test_a_window_with_many_flows_is_handed_over_before_its_time_once_telemetry_has_room() -> None:
    endpoint, outbox, clock = FakeEndpoint(), queue.Queue[Closed](1), [1001.0]
    loop = PacketLoop(
        engine(), outbox, clock=lambda: clock[0], synchronize=lambda: None, batch_packets_max=64, capture_window_s=10,
        capture_rows_max=3, sample_s=10,
    )
    listen(loop, endpoint, FakeNode())
    loop.begin(1001.0)
    for clock[0], flows in ((1002.0, 2), (1003.0, 3), (1004.0, 4)):
        endpoint.waiting = [udp(CLIENT, SERVER, 100, port=5000 + number) for number in range(flows)]
        loop._turn([(endpoint.fileno(), 1)])
    early = outbox.get_nowait().window
    clock[0] = 1005.0
    loop._turn([])
    late = outbox.get_nowait().window
    assert [(each.started_s, each.ended_s, each.accepted.num_rows) for each in (early, late) if each is not None] == [
        (1001.0, 1003.0, 3), (1003.0, 1005.0, 4),
    ]
    assert loop.counts.windows_merged == 0


def test_a_clock_that_was_set_back_does_not_stop_windows_and_expiry() -> None:
    made, outbox = engine(), queue.Queue[Closed]()
    clock = [5000.0]
    loop = PacketLoop(
        made, outbox, clock=lambda: clock[0],
        synchronize=lambda: clock.__setitem__(0, clock[0] - 3600.0 if clock[0] > 5000.0 else clock[0]),
        batch_packets_max=64, capture_window_s=10,
        capture_rows_max=20_000, sample_s=5,
    )
    loop.begin(5000.0)
    clock[0] = 5010.1
    loop._turn([])
    assert clock[0] == pytest.approx(1410.1)
    clock[0] += 9.9
    loop._turn([])
    first, second = outbox.get_nowait(), outbox.get_nowait()
    assert (first.end_s, second.end_s) == (5010.1, pytest.approx(1420.0))
    assert second.window is not None
    assert second.window.started_s <= second.window.ended_s


def test_when_telemetry_is_behind_the_window_stays_open_and_loses_nothing(parts: Any) -> None:
    _, endpoint, _, loop, outbox = parts
    loop.tick(1005.0)
    endpoint.waiting = [udp(CLIENT, SERVER, 100)]
    loop.from_endpoint(ENDPOINT, 1006.0)
    loop.tick(1010.0)
    endpoint.waiting = [udp(CLIENT, SERVER, 100)]
    loop.from_endpoint(ENDPOINT, 1011.0)
    loop.tick(1020.0)  # the outbox holds two and is full
    assert loop.counts.windows_merged == 1
    first = [outbox.get_nowait(), outbox.get_nowait()][1]
    endpoint.waiting = [udp(CLIENT, SERVER, 100)]
    loop.from_endpoint(ENDPOINT, 1021.0)
    loop.tick(1030.0)
    second = outbox.get_nowait()
    assert sum(first.window.accepted["ingress_packets"].to_pylist()) == 1
    assert sum(second.window.accepted["ingress_packets"].to_pylist()) == 2
    assert (second.window.started_s, second.window.ended_s) == (1010.0, 1030.0)


@pytest.fixture
def gateway(network: Any) -> Iterator[tuple[PacketLoop, Engine, socket.socket, bytes, socket.socket]]:
    """A running loop between a router's end of a wire and a target's UDP socket."""
    middle, router, provider = network.namespace("g"), network.namespace("r"), network.namespace("p")
    network.pair((middle, "gwe"), (router, "gwr"))
    network.pair((middle, "gwn"), (provider, "gwt"))
    network.address(middle, "gwn", "10.9.0.1/24")
    network.address(provider, "gwt", f"{TARGET}/24")
    far = run_in(router, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
    far.bind(("gwr", 3))
    far.settimeout(30)
    target = run_in(provider, lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP))
    target.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
    target.settimeout(30)
    endpoint = EndpointPort(
        device="gwe", router_mac=far.getsockname()[4].hex(":"), netns=middle, receive_buffer_bytes=1 << 20
    )
    node = NodePort(address="10.9.0.1", device="gwn", netns=middle, receive_buffer_bytes=1 << 20)
    endpoint.open()
    node.open()
    made = engine()
    loop = PacketLoop(
        made, queue.Queue(8), clock=lambda: 1000.0, synchronize=lambda: None, batch_packets_max=64, capture_window_s=10,
        capture_rows_max=20_000, sample_s=5,
    )
    loop.follow(Network(plan=plan(), endpoints={ENDPOINT: endpoint}, nodes={NODE: node}))
    thread = threading.Thread(target=loop.run)
    thread.start()
    mac = endpoint._receive.getsockname()[4]
    try:
        yield loop, made, far, mac, target
    finally:
        loop.stop()
        thread.join()
        for port in (far, target):
            port.close()


def reflect(target: socket.socket) -> bytes:
    """Take one GENEVE packet and send it back, as an appliance that allows it; the inner packet."""
    packet = target.recv(9000)
    assert packet[22:24] == GENEVE_PORT.to_bytes(2, "big")
    target.sendto(packet[:12] + packet[16:20] + packet[12:16] + packet[20:], ("10.9.0.1", 0))
    return packet[68:]


@pytest.mark.network
def test_packets_cross_a_real_network_both_ways(gateway: Any) -> None:
    _loop, _made, far, mac, target = gateway
    for packet in (udp(CLIENT, SERVER, 64), udp(CLIENT, SERVER, 8500)):
        far.send(mac + bytes(6) + b"\x08\x00" + packet)
        assert reflect(target) == packet
        frame = far.recv(9100)
        while frame[6:12] != mac:  # our own sending is seen here as well
            frame = far.recv(9100)
        assert frame[14:] == packet


@pytest.mark.network
def test_stopping_takes_what_waits_and_closes_the_last_window(gateway: Any) -> None:
    loop, _made, far, mac, target = gateway
    sent = 20
    far.send(mac + bytes(6) + b"\x08\x00" + udp(CLIENT, SERVER, 8501))
    for size in range(sent):
        far.send(mac + bytes(6) + b"\x08\x00" + udp(CLIENT, SERVER, 100 + size))
    for _ in range(sent):
        reflect(target)
    loop.stop()
    closed = loop._outbox.get(timeout=30)
    assert closed.last
    assert sum(closed.window.accepted["egress_packets"].to_pylist()) == sent
    assert closed.window.rejected["reason"].to_pylist() == [DropReason.OVERSIZE]
    counters = closed.counters.endpoints[ENDPOINT]
    assert (counters.offered, counters.delivered, counters.not_returned) == (sent + 1, sent, 0)


def network_of(loop: PacketLoop) -> Network:
    """What it has, under a new plan."""
    return Network(plan=plan(), endpoints=dict(loop._endpoints), nodes=dict(loop._nodes))


def is_awake(loop: PacketLoop) -> bool:
    """Whether the loop's wait would end at once."""
    return bool(select.select([loop._wake], [], [], 0)[0])


def test_a_plan_taken_before_its_wake_up_came_does_not_keep_the_loop_awake(
    parts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = parts[3]
    write = os.eventfd_write

    def late(descriptor: int, value: int) -> None:
        loop._turn([])  # packets woke the loop just now, and it found the plan
        write(descriptor, value)

    monkeypatch.setattr(os, "eventfd_write", late)
    loop.follow(network_of(loop))
    assert loop.counts.plans == 2
    loop._turn([(loop._wake, select.EPOLLIN)])
    assert not is_awake(loop)


def test_a_stop_whose_wake_up_went_with_a_plan_still_closes_the_last_window(
    parts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, endpoint, _, loop, outbox = parts
    set_event = threading.Event.set

    def late(event: threading.Event) -> None:
        loop._turn([(loop._wake, select.EPOLLIN)])  # between the wake-up and the word why
        set_event(event)

    monkeypatch.setattr(threading.Event, "set", late)
    endpoint.waiting = [udp(CLIENT, SERVER, 100)]
    loop.follow(network_of(loop))
    loop.stop()
    loop._poll.register(loop._wake, select.EPOLLIN)
    loop._finish()
    closed = outbox.get_nowait()
    assert closed.last
    assert sum(closed.window.accepted["ingress_packets"].to_pylist()) == 1


def test_an_error_while_stopping_does_not_cost_the_last_window(parts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, endpoint, _, loop, outbox = parts
    endpoint.waiting = [udp(CLIENT, SERVER, 100)]
    loop.from_endpoint(ENDPOINT, 1001.0)

    def broken(packets_max: int) -> list[bytes]:
        raise OSError("the device is in a state nobody thought of")

    monkeypatch.setattr(endpoint, "receive", broken)
    loop.stop()
    loop._poll.register(loop._wake, select.EPOLLIN)
    loop._finish()
    closed = outbox.get_nowait()
    assert closed.last
    assert sum(closed.window.accepted["ingress_packets"].to_pylist()) == 1
    assert loop.counts.errors == 1


@pytest.mark.parametrize("step_s", [3600.0, -3600.0])
def test_a_clock_that_is_set_costs_no_flow_and_makes_no_window_of_two_clocks(step_s: float) -> None:
    made, endpoint, outbox, clock = engine(), FakeEndpoint(), queue.Queue[Closed](), [5001.0]
    steps = iter((step_s,))
    loop = PacketLoop(
        made, outbox, clock=lambda: clock[0], synchronize=lambda: clock.__setitem__(0, clock[0] + next(steps, 0.0)),
        batch_packets_max=64, capture_window_s=10,
        capture_rows_max=20_000, sample_s=5,
    )
    listen(loop, endpoint, FakeNode())
    loop.begin(5001.0)
    endpoint.waiting = [udp(CLIENT, SERVER, 100)]
    loop.from_endpoint(ENDPOINT, 5001.0)
    clock[0] = 5005.1
    loop._turn([])
    assert clock[0] == 5005.1, "a sample ended, the window is still open"
    clock[0] = 5010.5
    loop._turn([])
    assert clock[0] == 5010.5 + step_s
    assert made.counters().flows == 1
    clock[0] += 9.6
    loop._turn([])
    closed = [outbox.get_nowait() for _ in range(3)]
    windows = [one.window for one in closed if one.window is not None]
    assert [round(window.ended_s - window.started_s, 1) for window in windows] == [9.5, 9.6]
    assert made.counters().flows == 1
    clock[0] += 120.0
    loop.tick(clock[0])
    assert made.counters().flows == 0


def test_a_port_that_goes_is_emptied_and_closed_and_the_books_have_what_it_carried(parts: Any) -> None:
    made, endpoint, node, loop, outbox = parts
    endpoint.waiting, endpoint.drops = [udp(CLIENT, SERVER, 100)], 3
    loop.follow(Network(plan=replace(plan(), endpoints=()), endpoints={}, nodes={NODE: node}))
    loop._take_network(1002.0)
    assert (endpoint.closed, node.closed) == (True, False)
    counters = made.counters()
    assert (counters.endpoints[ENDPOINT].offered, counters.endpoints[ENDPOINT].dropped[DropReason.RECEIVE_QUEUE_FULL]) == (4, 3)
    loop.tick(1010.0)
    loop.tick(1020.0)
    closed = outbox.get_nowait()
    assert closed.counters.endpoints[ENDPOINT].offered == 4
    assert closed.window.accepted["endpoint"].to_pylist() == [ENDPOINT]
    assert (outbox.get_nowait().counters.endpoints, made.counters().gone.offered) == ({}, 4)


def test_a_port_may_come_while_others_carry_on(parts: Any) -> None:
    made, endpoint, node, loop, _ = parts
    second, other = FakeEndpoint(), replace(plan().endpoints[0], endpoint_id="vpce-2", endpoint_number=2)
    endpoint.waiting = [udp(CLIENT, SERVER, 100)]
    loop.from_endpoint(ENDPOINT, 1001.0)
    grown = replace(plan(), endpoints=(*plan().endpoints, other))
    loop.follow(Network(plan=grown, endpoints={ENDPOINT: endpoint, "vpce-2": second}, nodes={NODE: node}))
    loop._turn([(loop._wake, select.EPOLLIN)])
    second.waiting = [udp(CLIENT, SERVER, 200)]
    loop._turn([(second.fileno(), select.EPOLLIN), (node.fileno(), select.EPOLLIN)])
    assert (endpoint.delivered, second.delivered) == ([udp(CLIENT, SERVER, 100)], [udp(CLIENT, SERVER, 200)])
    assert made.counters().flows == 2


def test_an_endpoint_without_a_port_costs_only_what_would_go_there(parts: Any) -> None:
    made, endpoint, node, loop, _ = parts
    endpoint.waiting = [udp(CLIENT, SERVER, 100)]
    loop.from_endpoint(ENDPOINT, 1001.0)
    loop.follow(Network(plan=plan(), endpoints={}, nodes={NODE: node}))
    loop._take_network(1001.0)
    loop.from_node(NODE, 1001.0)
    assert made.counters().endpoints[ENDPOINT].dropped == {DropReason.DELIVER_FAILED: 1}


def test_a_port_of_a_network_that_was_never_used_is_closed_too(parts: Any) -> None:
    _made, endpoint, node, loop, _ = parts
    short_lived = FakeEndpoint()
    grown = replace(plan(), endpoints=(*plan().endpoints, replace(plan().endpoints[0], endpoint_id="vpce-2", endpoint_number=2)))
    loop.follow(Network(plan=grown, endpoints={ENDPOINT: endpoint, "vpce-2": short_lived}, nodes={NODE: node}))
    loop.follow(Network(plan=plan(), endpoints={ENDPOINT: endpoint}, nodes={NODE: node}))
    loop._take_network(1001.0)
    assert (short_lived.closed, endpoint.closed, node.closed) == (True, False, False)


def test_stopping_closes_the_ports_of_a_network_that_was_never_used(parts: Any) -> None:
    _made, endpoint, node, loop, _ = parts
    late = FakeEndpoint()
    loop.follow(Network(plan=plan(), endpoints={ENDPOINT: late}, nodes={NODE: node}))
    loop.stop()
    loop._poll.register(loop._wake, select.EPOLLIN)
    loop._finish()
    assert (late.closed, endpoint.closed, node.closed) == (True, True, True)


def test_a_port_that_cannot_be_emptied_is_closed_and_the_rest_of_the_network_taken_over(
    parts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _made, endpoint, node, loop, _ = parts
    other = FakeEndpoint()

    def broken(packets_max: int) -> list[bytes]:
        raise OSError("the device is in a state nobody thought of")

    monkeypatch.setattr(endpoint, "receive", broken)
    loop.follow(Network(plan=plan(), endpoints={ENDPOINT: other}, nodes={NODE: node}))
    loop._take_network(1002.0)
    assert (endpoint.closed, other.closed, loop.counts.errors) == (True, False, 1)
    other.waiting = [udp(CLIENT, SERVER, 100)]
    loop._turn([(other.fileno(), select.EPOLLIN), (node.fileno(), select.EPOLLIN)])
    assert other.delivered == [udp(CLIENT, SERVER, 100)]
