"""What a lab network is made of, as values: `wiring.py` writes such a plan, `reconcile.py` makes it, `show.py` prints it.

Two views of the same network stand side by side: what Linux is told (namespaces, links, routes, rules) and what a
person knows from AWS (route tables with destinations and targets, machines with instance ids).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from forwarder.inventory import Inventory

MAIN_TABLE = 254


class Role(StrEnum):
    """What a namespace stands for."""

    CLIENT = "internet client"
    INTERNET_GATEWAY = "internet gateway"
    ROUTER = "VPC router"
    SERVER = "application server"
    NODE = "balancer"
    APPLIANCE = "appliance"
    INSTANCE = "instance"


class Namespace(msgspec.Struct, frozen=True, kw_only=True):
    """A network namespace; only routers and the internet gateway forward."""

    name: str
    role: Role
    forwards: bool = False


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One end of a veth pair.  `addresses` have a prefix length; a device that answers for nobody has none."""

    namespace: str
    device: str
    mac: str
    addresses: tuple[str, ...] = ()
    arp: bool = True
    reverse_path_filter: bool = False


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A veth pair; `mtu_bytes` holds on both ends."""

    one: Side
    other: Side
    mtu_bytes: int


class RouteType(StrEnum):
    """`throw` leaves the table and goes on with the next rule: that is how `local` of a VPC's table is written."""

    UNICAST = "unicast"
    THROW = "throw"
    BLACKHOLE = "blackhole"


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A route.  `mtu_bytes` (0: the device's) bounds what the host itself sends along it."""

    namespace: str
    destination: str
    device: str = ""
    gateway: str = ""
    table: int = MAIN_TABLE
    type: RouteType = RouteType.UNICAST
    mtu_bytes: int = 0


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A policy-routing rule: packets from `ingress_device`, or with `source` as their address, look in `table`."""

    namespace: str
    priority: int
    table: int
    ingress_device: str = ""
    source: str = ""


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """A permanent neighbour entry: an address nobody answers ARP for."""

    namespace: str
    device: str
    address: str
    mac: str


class AwsRoute(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a route table as AWS shows it; `target` is an id or `local`."""

    destination: str
    target: str


class AwsTable(msgspec.Struct, frozen=True, kw_only=True):
    """A route table as AWS shows it; `associations` are ids of subnets and internet gateways.

    `table` is the number of the Linux table that does it, in the namespace `router`.
    """

    id: str
    name: str
    vpc_id: str
    associations: tuple[str, ...]
    main: bool
    table: int
    router: str
    routes: tuple[AwsRoute, ...]


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A client, server or appliance: a namespace with one address.  Internet clients have neither ids nor zone."""

    name: str
    netns: str
    address: str
    instance_id: str = ""
    interface_id: str = ""
    zone: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A whole network.  `internet_gateway_id` is the consumer VPC's; `host_mtu_bytes` what its hosts send at most."""

    name: str
    internet_gateway_id: str
    host_mtu_bytes: int
    namespaces: tuple[Namespace, ...]
    links: tuple[Link, ...]
    routes: tuple[Route, ...]
    rules: tuple[Rule, ...]
    neighbours: tuple[Neighbour, ...]
    route_tables: tuple[AwsTable, ...]
    clients: tuple[Machine, ...]
    servers: tuple[Machine, ...]
    appliances: tuple[Machine, ...]
    inventory: Inventory

    @property
    def router_of_endpoint(self) -> str:
        """The namespace of the VPC that the first endpoint is in; there is an endpoint."""
        device = self.inventory.endpoints[0].device
        return next(link.one.namespace for link in self.links if link.other.device == device == link.one.device)

    def sides(self, namespace: str) -> tuple[Side, ...]:
        """The devices of a namespace."""
        ends = (side for link in self.links for side in (link.one, link.other))
        return tuple(side for side in ends if side.namespace == namespace)
