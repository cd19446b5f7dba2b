"""The network the gateway stands in: VPCs, subnets, zones, gateways, route tables, instances, endpoints and the balancer's
interfaces.

It lives in the state store (`forwarder.control.network_state`).  A TOML file of this form, which the lab writes, or a person, is
imported into it.
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

#: What a service's owner says of an endpoint (`connection`).
PENDING_ACCEPTANCE, ACCEPTED, REJECTED = "pendingAcceptance", "accepted", "rejected"


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


class InternetGateway(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The way of a VPC to the internet; without `vpc_id` it is attached to none yet."""

    id: str
    vpc_id: str
    name: str = ""


class Route(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of a route table: an address block, and the id of an endpoint, internet gateway or network interface.

    A target that does not exist is AWS's `blackhole`.
    """

    destination: str
    target: str


class RouteTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A route table without its `local` route, which every one has.

    `associations` are subnets, and internet gateways for what comes from them; `main` is for the VPC's subnets in no other table.
    """

    id: str
    vpc_id: str
    associations: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    main: bool = False
    name: str = ""


class Instance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A machine with one network interface.  `image` is what the lab runs on it: `server`, `appliance`, or nothing."""

    id: str
    subnet_id: str
    interface_id: str
    address: str
    name: str = ""
    state: str = "running"
    image: str = ""


class Node(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The interface that load balancers use in one subnet: GENEVE leaves from and returns to `address` on `device`.

    `netns` names the network namespace the device is in; empty: the process's own.  Without a `device` it is attached to nothing yet.
    `managed`: made with a load balancer, and gone with the last in its subnet.
    """

    interface_id: str
    subnet_id: str
    address: str
    device: str = ""
    netns: str = ""
    managed: bool = False


class EndpointService(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What endpoints are made for: the load balancers that serve them, one in each zone.  `allowed_principals` are ARNs."""

    id: str
    load_balancer_arns: tuple[str, ...]
    acceptance_required: bool = False
    allowed_principals: tuple[str, ...] = ()


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """The place of an endpoint or node: a device, the namespace it is in (empty: the process's own), and of an endpoint, who is
    behind it."""

    device: str
    netns: str = ""
    router_mac: str = ""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Gateway Load Balancer endpoint: packets enter and leave by `device` as Ethernet frames.

    It is connected to the load balancer in its own zone, of the service `service_id`, once `connection` is `accepted`, or without a
    service to that of `provider_vpc_id`.  `router_mac` is where returned packets are sent; `address` is the interface's
    primary address, shown in flow records.  Without a `device` it is attached to nothing yet.  `created_s` is in epoch seconds, 0 when
    nobody knows.
    """

    id: str
    interface_id: str
    subnet_id: str
    address: str
    device: str = ""
    provider_vpc_id: str = ""
    router_mac: str = ""
    netns: str = ""
    service_id: str = ""
    connection: str = ACCEPTED
    created_s: float = 0.0


class Inventory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole network, or everything in the file."""

    zones: tuple[Zone, ...] = ()
    vpcs: tuple[Vpc, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    internet_gateways: tuple[InternetGateway, ...] = ()
    instances: tuple[Instance, ...] = ()
    nodes: tuple[Node, ...] = ()
    endpoint_services: tuple[EndpointService, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    route_tables: tuple[RouteTable, ...] = ()

    def subnet(self, subnet_id: str) -> Subnet | None:
        """The subnet with that id."""
        return next((subnet for subnet in self.subnets if subnet.id == subnet_id), None)

    def vpc(self, vpc_id: str) -> Vpc | None:
        """The VPC with that id."""
        return next((vpc for vpc in self.vpcs if vpc.id == vpc_id), None)

    def endpoint_service(self, service_id: str) -> EndpointService | None:
        """The endpoint service with that id."""
        return next((service for service in self.endpoint_services if service.id == service_id), None)

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
    for problem in problems(inventory):
        raise BadInventory(f"{path}: {problem}")
    return inventory


def problems(inventory: Inventory) -> Iterator[str]:
    """What would stop the forwarder, lose its records or make the API fail, long after it was said."""
    yield from _wrong_references(inventory)
    yield from _wrong_route_tables(inventory)
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


def _wrong_route_tables(inventory: Inventory) -> Iterator[str]:
    owners = {subnet.id: subnet.vpc_id for subnet in inventory.subnets}
    owners |= {gateway.id: gateway.vpc_id for gateway in inventory.internet_gateways}
    of_vpcs: tuple[InternetGateway | RouteTable, ...] = (*inventory.internet_gateways, *inventory.route_tables)
    for owner in of_vpcs:
        detached = isinstance(owner, InternetGateway) and not owner.vpc_id
        if inventory.vpc(owner.vpc_id) is None and not detached:
            yield f"{owner.id} is of {owner.vpc_id}, which is not among the VPCs"
    for table in inventory.route_tables:
        for association in table.associations:
            if owners.get(association) != table.vpc_id:
                yield f"{table.id} is associated with {association}, which is no subnet or internet gateway of {table.vpc_id}"


def _wrong_values(inventory: Inventory) -> Iterator[str]:
    blocks = [(vpc.id, "cidr", vpc.cidr) for vpc in inventory.vpcs]
    blocks += [(subnet.id, "cidr", subnet.cidr) for subnet in inventory.subnets]
    blocks += [(table.id, "destination", route.destination) for table in inventory.route_tables for route in table.routes]
    for owner, field, block in blocks:
        try:
            ip_network(block)
        except ValueError as error:
            yield f"{owner} has the {field} {block!r}: {error}"
    for thing in _interfaces(inventory):
        try:
            IPv4Address(thing.address)
        except ValueError:
            yield f"{thing.interface_id} has the address {thing.address!r}, which is not IPv4"
    for endpoint in inventory.endpoints:
        if endpoint.device and not _MAC.fullmatch(endpoint.router_mac):
            yield f"{endpoint.id} has the router_mac {endpoint.router_mac!r}; one is like 02:00:00:00:00:01"


def _given_twice(inventory: Inventory) -> Iterator[str]:
    """Ids lead to one thing, a device to one endpoint, and returning packets to one node."""
    things: tuple[Vpc | Subnet | InternetGateway | Instance | EndpointService | Endpoint | RouteTable, ...] = (
        *inventory.vpcs, *inventory.subnets, *inventory.internet_gateways, *inventory.instances, *inventory.endpoint_services,
        *inventory.endpoints, *inventory.route_tables,
    )
    names = Counter([
        *(f"the zone {zone.name}" for zone in inventory.zones),
        *(f"the id {thing.id}" for thing in things),
        *(f"the interface {thing.interface_id}" for thing in _interfaces(inventory)),
        *(f"the endpoint's device {end.netns}:{end.device}".replace(" :", " ") for end in inventory.endpoints if end.device),
        *(f"the node's address {node.address}" for node in inventory.nodes),
        *(f"the route table of {association}" for table in inventory.route_tables for association in table.associations),
        *(f"the main route table of {table.vpc_id}" for table in inventory.route_tables if table.main),
        *(f"the route of {table.id} for {route.destination}" for table in inventory.route_tables for route in table.routes),
    ])
    for name, count in names.items():
        if count > 1:
            yield f"{name} is given {count} times"


def _interfaces(inventory: Inventory) -> tuple[Instance | Node | Endpoint, ...]:
    return (*inventory.instances, *inventory.nodes, *inventory.endpoints)
