"""The network the gateway stands in: VPCs, subnets, zones, instances, endpoints and the balancer's interfaces.

Read from a TOML file that the lab writes, or a person.  It tells what exists and where; what the gateway shall do
(load balancers, targets, listeners) comes from the API and lives in the state store.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from gatewatch.refusal import Refusal


class BadInventory(Refusal, ValueError):
    """The inventory file cannot be read, or says something impossible; the message says what and where."""


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """An availability zone: `us-east-1a` and its id `use1-az1`."""

    name: str
    id: str


class Vpc(msgspec.Struct, frozen=True, kw_only=True):
    """A VPC and its address block."""

    id: str
    cidr: str
    name: str = ""


class Subnet(msgspec.Struct, frozen=True, kw_only=True):
    """A subnet; `zone` is a zone's name."""

    id: str
    vpc_id: str
    cidr: str
    zone: str
    name: str = ""


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """A machine with one network interface."""

    id: str
    subnet_id: str
    interface_id: str
    address: str
    name: str = ""
    state: str = "running"


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """The interface a load balancer uses in one subnet: GENEVE leaves from and returns to `address` on `device`.

    `netns` names the network namespace the device is in; empty: the process's own.
    """

    interface_id: str
    subnet_id: str
    address: str
    device: str
    netns: str = ""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A Gateway Load Balancer endpoint: packets enter and leave by `device` as Ethernet frames.

    It is connected to the load balancer of `provider_vpc_id` in its own zone.  `router_mac` is where returned packets
    are sent; `address` is the interface's primary address, shown in flow records.
    """

    id: str
    interface_id: str
    subnet_id: str
    address: str
    device: str
    provider_vpc_id: str
    router_mac: str
    netns: str = ""


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in the file."""

    zones: tuple[Zone, ...] = ()
    vpcs: tuple[Vpc, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    instances: tuple[Instance, ...] = ()
    nodes: tuple[Node, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()

    def subnet(self, subnet_id: str) -> Subnet | None:
        """The subnet with that id."""
        return next((subnet for subnet in self.subnets if subnet.id == subnet_id), None)

    def vpc(self, vpc_id: str) -> Vpc | None:
        """The VPC with that id."""
        return next((vpc for vpc in self.vpcs if vpc.id == vpc_id), None)

    def zone_id(self, zone_name: str) -> str:
        """The id of the zone with that name (`use1-az1`), `-` if there is none."""
        return next((zone.id for zone in self.zones if zone.name == zone_name), "-")


def read_inventory(path: Path) -> Inventory:
    """Read and check the file; `BadInventory` names the entry that is wrong."""
    try:
        inventory = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Inventory)
    except OSError as error:
        raise BadInventory(f"the inventory {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadInventory(f"the inventory {path} is wrong: {error}") from error
    _check_references(inventory, path)
    return inventory


def _check_references(inventory: Inventory, path: Path) -> None:
    zones = {zone.name for zone in inventory.zones}
    for subnet in inventory.subnets:
        if inventory.vpc(subnet.vpc_id) is None:
            raise BadInventory(f"{path}: subnet {subnet.id} is in {subnet.vpc_id}, which is not among the VPCs")
        if subnet.zone not in zones:
            raise BadInventory(f"{path}: subnet {subnet.id} is in zone {subnet.zone}, which is not among the zones")
    things: tuple[Instance | Node | Endpoint, ...] = (*inventory.instances, *inventory.nodes, *inventory.endpoints)
    for thing in things:
        if inventory.subnet(thing.subnet_id) is None:
            raise BadInventory(f"{path}: {thing.interface_id} is in {thing.subnet_id}, which is not among the subnets")
