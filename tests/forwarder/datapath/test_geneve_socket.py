"""The node's port against a real target on the other end of a veth pair."""

from __future__ import annotations

import socket
import struct
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from forwarder.datapath.geneve_socket import GENEVE_PORT, NodePort
from forwarder.network_namespace import run_in
from tests.forwarder.datapath.arrival import lost_and_received, queued_bytes, taken, wait_for

pytestmark = pytest.mark.network


def outer(source: str, target: str, port: int, payload: bytes) -> bytes:
    length = 28 + len(payload)
    header = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, length, 7, 0, 255, 17, 0, socket.inet_aton(source), socket.inet_aton(target)
    )
    return header + struct.pack("!HHHH", port, GENEVE_PORT, 8 + len(payload), 0) + payload


@pytest.fixture
def tunnel(network: Any) -> Iterator[tuple[NodePort, socket.socket]]:
    """The port on 10.9.0.1, and a target's UDP socket on 10.9.0.2:6081."""
    gateway, provider = network.namespace("g"), network.namespace("p")
    network.pair((gateway, "gwn"), (provider, "gwt"))
    network.address(gateway, "gwn", "10.9.0.1/24")
    network.address(provider, "gwt", "10.9.0.2/24")
    target = run_in(provider, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    target.bind(("10.9.0.2", GENEVE_PORT))
    target.settimeout(30)
    port = NodePort(address="10.9.0.1", device="gwn", netns=gateway, receive_buffer_bytes=1 << 20)
    port.open()
    yield port, target
    port.close()
    target.close()


def test_each_flow_has_its_own_source_port_and_answers_come_to_6081(tunnel: Any) -> None:
    port, target = tunnel
    for source_port in (49_152, 65_535):
        assert port.send(outer("10.9.0.1", "10.9.0.2", source_port, b"p" * 8540), "10.9.0.2")
        assert target.recvfrom(9000) == (b"p" * 8540, ("10.9.0.1", source_port))
    target.sendto(b"back", ("10.9.0.1", GENEVE_PORT))
    assert taken(port, 1) == [(b"back", "10.9.0.2", GENEVE_PORT)]
    assert port.receive(64) == []


def test_what_does_not_fit_or_has_no_route_is_not_sent(tunnel: Any) -> None:
    port, target = tunnel
    assert not port.send(outer("10.9.0.1", "10.9.0.2", 50_000, bytes(9500)), "10.9.0.2")
    assert not port.send(outer("10.9.0.1", "198.51.100.1", 50_000, b"x"), "198.51.100.1")
    assert port.send(outer("10.9.0.1", "10.9.0.2", 50_000, b"x"), "10.9.0.2")
    assert target.recv(100) == b"x"


def test_the_kernels_drops_are_told_once(tunnel: Any) -> None:
    port, target = tunnel
    target.sendto(b"first", ("10.9.0.1", GENEVE_PORT))  # so that the neighbour is known: its queue is short as well
    assert len(taken(port, 1)) == 1
    port._receive.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    for _ in range(200):
        target.sendto(bytes(1000), ("10.9.0.1", GENEVE_PORT))
    drops, received = lost_and_received(port, 200)
    assert drops > 0
    assert received + drops == 200
    assert port.kernel_drops() == 0


def test_after_refusing_only_what_waits_comes(tunnel: Any) -> None:
    port, target = tunnel
    target.sendto(b"first", ("10.9.0.1", GENEVE_PORT))
    wait_for(lambda: queued_bytes(port._receive))
    port.refuse_new()
    target.sendto(b"second", ("10.9.0.1", GENEVE_PORT))
    assert [payload for payload, _, _ in port.receive(64)] == [b"first"]
    assert port.receive(64) == []


def test_a_removed_device_is_lost(tunnel: Any, network: Any) -> None:
    port, _ = tunnel
    assert not port.lost()
    subprocess.run(["ip", "-n", port.netns, "link", "delete", "gwn"], check=True)
    assert port.lost()


def test_an_address_that_is_not_there_is_named() -> None:
    port = NodePort(address="192.0.2.77", device="lo", netns="", receive_buffer_bytes=65_536)
    with pytest.raises(OSError, match=r"192\.0\.2\.77"):
        port.open()


def test_an_error_amid_a_batch_loses_nothing_that_was_taken(tunnel: Any) -> None:
    port, _ = tunnel
    real = port._receive

    class FailsSecond:
        taken = iter([(b"first", ("10.9.0.2", GENEVE_PORT))])

        def recvfrom(self, size: int) -> Any:
            answer = next(self.taken, None)
            if answer is None:
                raise OSError(5, "input/output error")
            return answer

    port._receive = FailsSecond()
    try:
        assert port.receive(64) == [(b"first", "10.9.0.2", GENEVE_PORT)]
        with pytest.raises(OSError, match="input/output error"):
            port.receive(64)
    finally:
        port._receive = real
