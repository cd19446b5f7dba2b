"""The forwarder's ports: a socket pair for each endpoint's device and for each node, opened as the network comes to have them.

The control thread opens them; the packet loop closes those that a later network does not have, once what waited there was
carried.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog

from forwarder.datapath.geneve_socket import NodePort
from forwarder.datapath.offloads import remedy
from forwarder.datapath.packet_socket import EndpointPort
from forwarder.inventory import Endpoint, Inventory, Node

log = structlog.get_logger("forwarder")


@dataclass(slots=True, kw_only=True)
class Ports:
    """Open ports by endpoint id and by node's address; `missing` tells why one could not be opened, by device."""

    receive_buffer_bytes: int
    endpoints: dict[str, EndpointPort] = field(default_factory=dict)
    nodes: dict[str, NodePort] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    _made_for: dict[str, Endpoint | Node] = field(default_factory=dict)
    # Let go and not closed yet: two sockets at one device would both take its packets.
    _leaving: dict[str, EndpointPort | NodePort] = field(default_factory=dict)

    def follow(self, inventory: Inventory) -> bool:
        """Open what the inventory has and is not open, let go what it has not, or whose device was removed; whether any port
        came or went.  `PermissionError` when nothing may be opened at all.

        A port that was let go is not closed here: the packet loop may be using it.
        """
        self.missing = {}
        wanted: dict[str, Endpoint | Node] = {end.id: end for end in inventory.endpoints if end.device}
        wanted |= {node.address: node for node in inventory.nodes if node.device}
        changed = self._let_go(wanted)
        self._leaving = {name: port for name, port in self._leaving.items() if port.fileno() >= 0}
        for name, thing in wanted.items():
            if name not in self._made_for and name not in self._leaving:
                changed |= self._open(name, thing)
        return changed

    def close(self) -> None:
        """Close all; for when no packet loop was ever given them."""
        ports: list[EndpointPort | NodePort] = [*self.endpoints.values(), *self.nodes.values()]
        for port in ports:
            port.close()

    def _let_go(self, wanted: dict[str, Endpoint | Node]) -> bool:
        gone = [name for name, thing in self._made_for.items() if wanted.get(name) != thing or self._port(name).lost()]
        for name in gone:
            if name in wanted:
                log.warning("a device is gone or another one; waiting for it", device=wanted[name].device, port=name)
            del self._made_for[name]
            self._leaving[name] = self._port(name)
            self.endpoints.pop(name, None)
            self.nodes.pop(name, None)
        return bool(gone)

    def _port(self, name: str) -> EndpointPort | NodePort:
        return self.endpoints.get(name) or self.nodes[name]

    def _open(self, name: str, thing: Endpoint | Node) -> bool:
        try:
            if isinstance(thing, Endpoint):
                self.endpoints[name] = _endpoint_port(thing, self.receive_buffer_bytes)
            else:
                self.nodes[name] = _node_port(thing, self.receive_buffer_bytes)
        except PermissionError:
            raise
        except OSError as error:
            self.missing[thing.device] = str(error)
            return False
        self._made_for[name] = thing
        return True

    def follow_addresses(self) -> None:
        """Take over the endpoint devices' present addresses."""
        for endpoint in self.endpoints.values():
            endpoint.follow_address()


def _endpoint_port(endpoint: Endpoint, receive_buffer_bytes: int) -> EndpointPort:
    port = EndpointPort(
        device=endpoint.device, router_mac=endpoint.router_mac, netns=endpoint.netns, receive_buffer_bytes=receive_buffer_bytes
    )
    port.open()
    _warn(port)
    return port


def _node_port(node: Node, receive_buffer_bytes: int) -> NodePort:
    port = NodePort(
        address=node.address, device=node.device, netns=node.netns, receive_buffer_bytes=receive_buffer_bytes
    )
    port.open()
    return port


def _warn(port: EndpointPort) -> None:
    if port.kernel_forwards:
        log.warning(
            "the kernel forwards packets of an endpoint's device past the gateway", device=port.device,
            remedy=f"sysctl -w net.ipv4.conf.{port.device}.forwarding=0", netns=port.netns,
        )
    if port.offloads:
        log.warning(
            "offloads are on, which a tunnel cannot carry; checksums are completed here, merged packets are not",
            device=port.device, remedy=remedy(port.device, port.netns, port.offloads),
        )
