"""Labs and namespaces for the tests, each with a name of its own; all are removed at the end."""

from __future__ import annotations

import os
import select
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyroute2 import IPRoute

from forwarder.datapath.geneve_socket import NodePort
from forwarder.datapath.packet_socket import EndpointPort
from forwarder.lab import build, namespace
from forwarder.lab.lab import Lab
from forwarder.lab.privilege import missing_capabilities
from forwarder.network_namespace import run_in
from forwarder.wire.geneve_codec import Encapsulation, encapsulate

INNER_BYTES_MAX = 8_500


@pytest.fixture(scope="session")
def privileged() -> None:
    """Skips where namespaces cannot be made at once; the test of ordinary users does not use it."""
    if missing := missing_capabilities():
        pytest.skip(f"this process lacks {', '.join(missing)}")


@pytest.fixture(scope="module")
def lab(privileged: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab that is up."""
    data = tmp_path_factory.mktemp("lab-data")
    yield Lab.up(data, name=f"t{os.getpid()}")
    Lab.down(data)


@pytest.fixture
def lone_namespace(privileged: None) -> Iterator[str]:
    """A namespace with nothing but its loopback device, which is up."""
    name = f"t{os.getpid()}-alone"
    namespace.prepare_folder()
    namespace.create(name)

    def loopback_up() -> None:
        with IPRoute() as netlink:
            netlink.link("set", index=1, state="up")

    run_in(name, loopback_up)
    yield name
    build.remove((name,))


class SimpleGateway:
    """As much of a gateway as the lab's own tests need: all goes to one appliance, or with `put_back` straight back."""

    def __init__(self, lab: Lab) -> None:
        endpoint, node = lab.inventory.endpoints[0], lab.inventory.nodes[0]
        self.target = lab.appliances[0].address
        self.offered: list[bytes] = []
        self.too_large = 0
        self.put_back = False
        self.returned = 0
        self._endpoint = EndpointPort(device=endpoint.device, router_mac=endpoint.router_mac, netns=endpoint.netns,
                                      receive_buffer_bytes=8 << 20)
        self._node = NodePort(address=node.address, device=node.device, netns=node.netns, receive_buffer_bytes=8 << 20)
        self._flow = Encapsulation(
            socket.inet_aton(node.address), socket.inet_aton(self.target), 50_123, int(endpoint.id[-16:], 16), 7, 99, 0x0800,
        )
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> SimpleGateway:
        self._endpoint.open()
        self._node.open()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Carry nothing more; what was offered until then stays to be looked at."""
        self._ended.set()
        self._thread.join()
        self._endpoint.close()
        self._node.close()

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._endpoint.fileno(), select.POLLIN)
        poll.register(self._node.fileno(), select.POLLIN)
        while not self._ended.is_set():
            poll.poll(50)
            for packet in self._endpoint.receive(64):
                if len(packet) > INNER_BYTES_MAX:
                    self.too_large += 1
                    continue
                put_back = self.put_back  # before a test can see the packet and say otherwise
                self.offered.append(packet[:60])
                if put_back:
                    self._endpoint.deliver(packet)
                    continue
                self._node.send(encapsulate(self._flow, packet), self.target)
            for payload, _, _ in self._node.receive(64):
                self.returned += 1
                self._endpoint.deliver(payload[40:])


@pytest.fixture
def gateway(lab: Lab) -> Iterator[SimpleGateway]:
    """A simple gateway between the lab's endpoint and its first appliance."""
    with SimpleGateway(lab) as running:
        yield running


def inner_packet(source: str, destination: str, source_port: int, destination_port: int, *, protocol: int = 6,
                 flags: int = 2, payload: bytes = b"") -> bytes:
    """An IPv4 packet of TCP, UDP or ICMP; its checksums are zero, which neither gateway nor appliance looks at."""
    ports = struct.pack("!HH", source_port, destination_port)
    transport = {
        6: ports + struct.pack("!IIBBHHH", 1, 0, 0x50, flags, 1000, 0, 0),
        17: ports + struct.pack("!HH", 8 + len(payload), 0),
        1: struct.pack("!BBHHH", 8, 0, 0, 1, 1),
    }[protocol] + payload
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(transport), 1, 0, 64, protocol, 0,
                       socket.inet_aton(source), socket.inet_aton(destination)) + transport


def geneve(inner: bytes, *, endpoint_number: int = 0x0A1B2C3D4E5F6071, cookie: int = 0xDEADBEEF) -> bytes:
    """The UDP payload around an inner packet."""
    flow = Encapsulation(b"\x0a\0\0\x14", b"\x0a\0\0\x32", 60_123, endpoint_number, 0x1122334455667788, cookie, 0x0800)
    return encapsulate(flow, inner)[28:]


@pytest.fixture(scope="session")
def packets() -> type[Packets]:
    """Builders of packets."""
    return Packets


class Packets:
    """Builders of packets, for tests that cannot import this file."""

    inner = staticmethod(inner_packet)
    geneve = staticmethod(geneve)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return Path(__file__).parents[3]
