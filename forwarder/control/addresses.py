"""Addresses of a subnet: which are taken, and which is the next that is free.

Source: VPC user guide, "Subnet CIDR blocks": the first four addresses and the last are AWS's.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address, ip_network
from typing import Final

from forwarder.inventory import Endpoint, Instance, Inventory, Node, Subnet
from gatewatch.aws.error import AwsError

RESERVED_FIRST: Final = 4
RESERVED_LAST: Final = 1


def taken_addresses(network: Inventory, subnet: Subnet) -> set[str]:
    """Those of instances, endpoints and load balancers in it."""
    interfaces: tuple[Instance | Node | Endpoint, ...] = (*network.instances, *network.nodes, *network.endpoints)
    return {thing.address for thing in interfaces if thing.subnet_id == subnet.id}


def free_addresses(network: Inventory, subnet: Subnet) -> int:
    """How many are left."""
    return max(0, ip_network(subnet.cidr).num_addresses - RESERVED_FIRST - RESERVED_LAST - len(taken_addresses(network, subnet)))


def free_address(network: Inventory, subnet: Subnet, besides: Collection[str] = ()) -> str:
    """The lowest that is free, and none of `besides`; `InsufficientFreeAddressesInSubnet`."""
    taken, block = taken_addresses(network, subnet).union(besides), ip_network(subnet.cidr)
    for place in range(RESERVED_FIRST, min(block.num_addresses - RESERVED_LAST, RESERVED_FIRST + len(taken) + 1)):
        if str(block[place]) not in taken:
            return str(block[place])
    raise AwsError("InsufficientFreeAddressesInSubnet", f"There are no free addresses in subnet {subnet.id}.")


def check_address(network: Inventory, subnet: Subnet, address: str) -> None:
    """Whether it can be given: `InvalidParameterValue` outside of the subnet, `InvalidIPAddress.InUse`."""
    block = ip_network(subnet.cidr)
    try:
        place = int(ip_address(address)) - int(block.network_address)
    except ValueError:
        place = -1
    if not RESERVED_FIRST <= place < block.num_addresses - RESERVED_LAST:
        raise AwsError("InvalidParameterValue", f"Address {address[:50]} does not fall within the subnet's address range")
    if address in taken_addresses(network, subnet):
        raise AwsError("InvalidIPAddress.InUse", f"Address {address} is in use.")
