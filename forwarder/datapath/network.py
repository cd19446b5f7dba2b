"""What the packet loop carries packets by: a plan and open ports, and what it needs of a port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from forwarder.plan import Plan


class Port(Protocol):
    """What the loop needs of either port."""

    def fileno(self) -> int:
        """Descriptor to wait on."""

    def new_batch(self) -> None:
        """A batch to send begins."""

    def kernel_drops(self) -> int:
        """Drops since last asked."""

    def refuse_new(self) -> None:
        """Take nothing more in."""

    def close(self) -> None:
        """It is not used any more."""


class Endpoint(Port, Protocol):
    """What it needs of an endpoint's port (`packet_socket.EndpointPort`)."""

    frames_other: int

    def receive(self, packets_max: int) -> list[bytes]:
        """Waiting packets."""

    def deliver(self, inner: bytes) -> bool:
        """Send to the router."""


class Node(Port, Protocol):
    """What it needs of a node's port (`geneve_socket.NodePort`)."""

    address: str

    def receive(self, datagrams_max: int) -> list[tuple[bytes, str, int]]:
        """Waiting datagrams."""

    def send(self, outer: bytes, target_address: str) -> bool:
        """Send to a target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What packets are carried by from one moment on: a plan, and the open ports by endpoint id and by node's address."""

    plan: Plan
    endpoints: Mapping[str, Endpoint]
    nodes: Mapping[str, Node]

    @property
    def ports(self) -> list[Port]:
        """All of them."""
        return [*self.endpoints.values(), *self.nodes.values()]


def is_among(port: Port, ports: Sequence[Port]) -> bool:
    """Whether it is this very port."""
    return any(port is each for each in ports)
