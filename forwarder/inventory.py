"""The network the gateway stands in: VPCs, subnets, zones, instances, endpoints and the balancer's interfaces.

Read from a TOML file that the lab writes, or a person.  It tells what exists and where; what the gateway shall do
(load balancers, targets, listeners) comes from the API and lives in the state store.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Address, ip_network
from pathlib import Path

import msgspec

from gatewatch.refusal import Refusal

_MAC = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")


class BadInventory(Refusal, ValueError):
    """The inventory file cannot be read, or says something impossible; the message says what and where."""


class Zone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An availability zone: `us-east-1a` and its id `use1-az1`."""

    name: str
    id: str


class Vpc(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A VPC and its address block."""

    id: str
    cidr: str
    name: str = ""


class Subnet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A subnet; `zone` is a zone's name."""

    id: str
    vpc_id: str
    cidr: str
    zone: str
    name: str = ""


class Instance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A machine with one network interface."""

    id: str
    subnet_id: str
    interface_id: str
    address: str
    name: str = ""
    state: str = "running"


class Node(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The interface a load balancer uses in one subnet: GENEVE leaves from and returns to `address` on `device`.

    `netns` names the network namespace the device is in; empty: the process's own.
    """

    interface_id: str
    subnet_id: str
    address: str
    device: str
    netns: str = ""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
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


class Inventory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
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
    except (ValueError, RecursionError) as error:
        # Not TOML, not UTF-8 (an editor's Latin-1), a number of thousands of digits, or not an inventory.
        raise BadInventory(f"the inventory {path} is wrong: {error}") from error
    for problem in _problems(inventory):
        raise BadInventory(f"{path}: {problem}")
    return inventory


def _problems(inventory: Inventory) -> Iterator[str]:
    """What would stop the forwarder, lose its records or make the API fail, long after the file was written."""
    yield from _wrong_references(inventory)
    yield from _wrong_values(inventory)
    yield from _given_twice(inventory)


def _wrong_references(inventory: Inventory) -> Iterator[str]:
    zones = {zone.name for zone in inventory.zones}
    for subnet in inventory.subnets:
        if inventory.vpc(subnet.vpc_id) is None:
            yield f"subnet {subnet.id} is in {subnet.vpc_id}, which is not among the VPCs"
        if subnet.zone not in zones:
            yield f"subnet {subnet.id} is in zone {subnet.zone}, which is not among the zones"
    for thing in _interfaces(inventory):
        if inventory.subnet(thing.subnet_id) is None:
            yield f"{thing.interface_id} is in {thing.subnet_id}, which is not among the subnets"


def _wrong_values(inventory: Inventory) -> Iterator[str]:
    blocks: tuple[Vpc | Subnet, ...] = (*inventory.vpcs, *inventory.subnets)
    for block in blocks:
        try:
            ip_network(block.cidr)
        except ValueError as error:
            yield f"{block.id} has the cidr {block.cidr!r}: {error}"
    for thing in _interfaces(inventory):
        try:
            IPv4Address(thing.address)
        except ValueError:
            yield f"{thing.interface_id} has the address {thing.address!r}, which is not IPv4"
    for endpoint in inventory.endpoints:
        if not _MAC.fullmatch(endpoint.router_mac):
            yield f"{endpoint.id} has the router_mac {endpoint.router_mac!r}; one is like 02:00:00:00:00:01"


def _given_twice(inventory: Inventory) -> Iterator[str]:
    """Ids lead to one thing, a device to one endpoint, and returning packets to one node."""
    things: tuple[Vpc | Subnet | Instance | Endpoint, ...] = (
        *inventory.vpcs, *inventory.subnets, *inventory.instances, *inventory.endpoints
    )
    names = Counter([
        *(f"the zone {zone.name}" for zone in inventory.zones),
        *(f"the id {thing.id}" for thing in things),
        *(f"the interface {thing.interface_id}" for thing in _interfaces(inventory)),
        *(f"the endpoint's device {end.netns}:{end.device}".replace(" :", " ") for end in inventory.endpoints),
        *(f"the node's address {node.address}" for node in inventory.nodes),
    ])
    for name, count in names.items():
        if count > 1:
            yield f"{name} is given {count} times"


def _interfaces(inventory: Inventory) -> tuple[Instance | Node | Endpoint, ...]:
    return (*inventory.instances, *inventory.nodes, *inventory.endpoints)
