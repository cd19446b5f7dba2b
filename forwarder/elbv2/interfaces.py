"""The interfaces of load balancers: one in each of their subnets, made with the first there and gone with the last.

An interface is made without a device: whoever has the place attaches it.  A subnet to which the inventory gives one keeps that.
"""

from __future__ import annotations

from collections.abc import Sequence

from forwarder.control import network_state
from forwarder.control.addresses import free_address
from forwarder.control.context import Context
from forwarder.inventory import Node, Subnet


def make_interfaces(context: Context, subnets: Sequence[Subnet]) -> None:
    """For a load balancer that comes; `InsufficientFreeAddressesInSubnet`."""
    there = {node.subnet_id for node in context.inventory.nodes}
    # A target's packets come back to the address alone, so nodes of VPCs with the same block must differ.
    addresses = {node.address for node in context.inventory.nodes}
    for subnet in subnets:
        if subnet.id not in there:
            address = free_address(context.inventory, subnet, addresses)
            addresses.add(address)
            node = Node(interface_id=f"eni-0{context.number()}", subnet_id=subnet.id, address=address, managed=True)
            network_state.put(context.connection, "nodes", node)


def remove_interfaces(context: Context) -> None:
    """Once a load balancer went: those that nobody uses any more."""
    rows = context.connection.execute("SELECT DISTINCT subnet_id FROM load_balancer_subnets")
    used = {row["subnet_id"] for row in rows}
    for node in context.inventory.nodes:
        if node.managed and node.subnet_id not in used:
            network_state.remove(context.connection, "nodes", node.interface_id)
