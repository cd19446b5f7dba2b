"""The forwarder's ports: a socket pair for each endpoint's device and for each node, opened and closed together."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from forwarder.datapath.geneve_socket import NodePort
from forwarder.datapath.offloads import remedy
from forwarder.datapath.packet_socket import EndpointPort
from forwarder.inventory import Inventory

log = structlog.get_logger("forwarder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """In the inventory's order."""

    endpoints: list[EndpointPort]
    nodes: list[NodePort]

    def open(self) -> None:
        """Open all or none; `OSError` names the device that is not there, `PermissionError` what is not allowed."""
        opened: list[EndpointPort | NodePort] = []
        try:
            for port in self._all():
                port.open()
                opened.append(port)
        except OSError:
            for port in opened:
                port.close()
            raise
        for endpoint in self.endpoints:
            _warn(endpoint)

    def close(self) -> None:
        """Close all."""
        for port in self._all():
            port.close()

    def follow_addresses(self) -> None:
        """Take over the endpoint devices' present addresses."""
        for endpoint in self.endpoints:
            endpoint.follow_address()

    def lost(self) -> list[str]:
        """Names of the devices that were removed for good."""
        return [port.device for port in self._all() if port.lost()]

    def _all(self) -> list[EndpointPort | NodePort]:
        return [*self.endpoints, *self.nodes]


def ports_of(inventory: Inventory, *, receive_buffer_bytes: int) -> Ports:
    """The ports that the inventory asks for; none is open yet."""
    return Ports(
        endpoints=[
            EndpointPort(
                device=endpoint.device, router_mac=endpoint.router_mac, netns=endpoint.netns,
                receive_buffer_bytes=receive_buffer_bytes,
            )
            for endpoint in inventory.endpoints
        ],
        nodes=[
            NodePort(
                address=node.address, device=node.device, netns=node.netns, receive_buffer_bytes=receive_buffer_bytes
            )
            for node in inventory.nodes
        ],
    )


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
