"""The lab's network: pure data, the same for the same name.

A consumer VPC is inspected on its way in and out, after AWS's routing pattern for Gateway Load Balancer endpoints
(user guide, "Configure routing"): the internet gateway's table sends the application subnet's block to the endpoint,
the application subnet's table sends everything to the endpoint, the endpoint subnet's table knows `local` and the
internet gateway.  A provider VPC has the balancer and the appliances.  Hosts hang on their VPC's router by a link each
and carry /32 addresses, as in a VPC: only the router delivers, and it chooses the table by ingress interface.
"""

from __future__ import annotations

import hashlib

from forwarder.inventory import Endpoint, Instance, Inventory, Node, Subnet, Vpc, Zone
from forwarder.lab.plan import (
    AwsRoute,
    Link,
    Machine,
    Namespace,
    Neighbour,
    Plan,
    Role,
    Route,
    RouteTable,
    RouteType,
    Rule,
    Side,
)

DEFAULT_NAME = "gw"

#: Every link carries AWS's jumbo frame, so that a packet too large for the balancer can reach it and be refused there.
LINK_MTU_BYTES = 9001
#: What the hosts of the consumer VPC and the internet send: all that a Gateway Load Balancer carries.
HOST_MTU_BYTES = 8500

CONSUMER_BLOCK = "10.0.0.0/16"
ENDPOINT_BLOCK = "10.0.1.0/24"
APPLICATION_BLOCK = "10.0.2.0/24"
PROVIDER_BLOCK = "10.1.0.0/16"
PROVIDER_A_BLOCK = "10.1.1.0/24"
PROVIDER_B_BLOCK = "10.1.2.0/24"
ANYWHERE = "0.0.0.0/0"

ZONE_A = Zone(name="us-east-1a", id="use1-az1")
ZONE_B = Zone(name="us-east-1b", id="use1-az2")

#: Name, VPC, block and zone.
SUBNETS = (
    ("endpoint", "consumer", ENDPOINT_BLOCK, ZONE_A),
    ("application", "consumer", APPLICATION_BLOCK, ZONE_A),
    ("provider-a", "provider", PROVIDER_A_BLOCK, ZONE_A),
    ("provider-b", "provider", PROVIDER_B_BLOCK, ZONE_B),
)

ENDPOINT_ADDRESS = "10.0.1.10"
ENDPOINT_DEVICE = "vpce0"
CLIENT_ADDRESSES = ("203.0.113.11", "203.0.113.12", "203.0.113.13")
SERVER_ADDRESSES = ("10.0.2.11", "10.0.2.12")
NODE_ADDRESSES = {ZONE_A.name: "10.1.1.20", ZONE_B.name: "10.1.2.20"}
APPLIANCES = (("10.1.1.11", ZONE_A.name), ("10.1.1.12", ZONE_A.name), ("10.1.2.11", ZONE_B.name))

#: The wire between internet gateway and VPC router, which AWS does not show.
GATEWAY_SIDE, VPC_SIDE = "169.254.0.1", "169.254.0.2"

EDGE_TABLE, APPLICATION_TABLE, ENDPOINT_TABLE, PROVIDER_TABLE, NODE_B_TABLE = 101, 102, 103, 104, 105


def aws_id(lab: str, prefix: str, name: str) -> str:
    """An id as AWS writes it: prefix and 17 hexadecimal digits, the first 0, the same for the same lab and name."""
    return f"{prefix}-0{hashlib.sha256(f'{lab}/{prefix}/{name}'.encode()).hexdigest()[:16]}"


def mac_address(lab: str, namespace: str, device: str) -> str:
    """A locally administered unicast MAC address, the same for the same device."""
    digits = hashlib.sha256(f"{lab}/{namespace}/{device}".encode()).hexdigest()[:10]
    return "0a:" + ":".join(digits[place:place + 2] for place in range(0, 10, 2))


def plan(name: str = DEFAULT_NAME, *, host_mtu_bytes: int = HOST_MTU_BYTES) -> Plan:
    """The whole network under a lab name, which begins every namespace's."""
    return _Draft(name, host_mtu_bytes).plan()


class _Draft:
    """Collects the parts of the network in the order a packet meets them."""

    def __init__(self, name: str, host_mtu_bytes: int) -> None:
        self.name = name
        self.host_mtu_bytes = host_mtu_bytes
        self.namespaces: list[Namespace] = []
        self.links: list[Link] = []
        self.routes: list[Route] = []
        self.rules: list[Rule] = []
        self.neighbours: list[Neighbour] = []
        self.clients: list[Machine] = []
        self.servers: list[Machine] = []
        self.appliances: list[Machine] = []

    def plan(self) -> Plan:
        self._internet()
        self._consumer()
        self._endpoint()
        self._provider()
        return Plan(
            name=self.name, internet_gateway_id=self._id("igw", "consumer"), host_mtu_bytes=self.host_mtu_bytes,
            namespaces=tuple(self.namespaces), links=tuple(self.links), routes=tuple(self.routes),
            rules=tuple(self.rules), neighbours=tuple(self.neighbours), route_tables=self._route_tables(),
            clients=tuple(self.clients), servers=tuple(self.servers), appliances=tuple(self.appliances),
            inventory=self._inventory(),
        )

    # Parts of the network

    def _internet(self) -> None:
        gateway = self._namespace("igw", Role.INTERNET_GATEWAY)
        for number, address in enumerate(CLIENT_ADDRESSES, 1):
            client = self._namespace(f"client-{number}", Role.CLIENT)
            self._host(client, address, router=gateway, device=f"client-{number}", router_address="203.0.113.1",
                       mtu_bytes=self.host_mtu_bytes)
            self.clients.append(Machine(name=f"client-{number}", netns=client, address=address))

    def _consumer(self) -> None:
        gateway, router = self._ns("igw"), self._namespace("router", Role.ROUTER)
        self._link(self._side(gateway, "vpc", GATEWAY_SIDE), self._side(router, "igw", VPC_SIDE))
        self._route(gateway, CONSUMER_BLOCK, device="vpc", gateway=VPC_SIDE)
        self._route(router, GATEWAY_SIDE + "/32", device="igw")
        self._rule(router, EDGE_TABLE, "igw")
        self._nothing_else(router)
        for number, address in enumerate(SERVER_ADDRESSES, 1):
            server = self._namespace(f"server-{number}", Role.SERVER)
            self._host(server, address, router=router, device=f"server-{number}", router_address="10.0.2.1",
                       mtu_bytes=self.host_mtu_bytes)
            self._rule(router, APPLICATION_TABLE, f"server-{number}")
            self.servers.append(Machine(
                name=f"server-{number}", netns=server, address=address, instance_id=self._id("i", f"server-{number}"),
                interface_id=self._id("eni", f"server-{number}"), zone=ZONE_A.name,
            ))

    def _endpoint(self) -> None:
        """The endpoint's device has no address and speaks no ARP: what enters it, only the packet socket may answer."""
        router, node = self._ns("router"), self._namespace("node", Role.NODE)
        device = Side(namespace=node, device=ENDPOINT_DEVICE, mac=mac_address(self.name, node, ENDPOINT_DEVICE),
                      arp=False, reverse_path_filter=True)
        self._link(self._side(router, "endpoint", "10.0.1.1"), device)
        self.neighbours.append(
            Neighbour(namespace=router, device="endpoint", address=ENDPOINT_ADDRESS, mac=device.mac)
        )
        self._rule(router, ENDPOINT_TABLE, "endpoint")
        self._route(router, ENDPOINT_ADDRESS + "/32", device="endpoint")
        self._route(router, APPLICATION_BLOCK, table=EDGE_TABLE, device="endpoint", gateway=ENDPOINT_ADDRESS)
        self._route(router, ANYWHERE, table=APPLICATION_TABLE, device="endpoint", gateway=ENDPOINT_ADDRESS)
        self._route(router, ANYWHERE, table=ENDPOINT_TABLE, device="igw", gateway=GATEWAY_SIDE)
        for table in (EDGE_TABLE, APPLICATION_TABLE, ENDPOINT_TABLE):
            self._local(router, CONSUMER_BLOCK, table)

    def _provider(self) -> None:
        node, router = self._ns("node"), self._namespace("provider", Role.ROUTER)
        self._nothing_else(router)
        self._local(router, PROVIDER_BLOCK, PROVIDER_TABLE)
        for device, zone, gateway in (("zone-a", ZONE_A.name, "10.1.1.1"), ("zone-b", ZONE_B.name, "10.1.2.1")):
            address = NODE_ADDRESSES[zone]
            self._link(self._side(router, device, gateway), self._side(node, device, address))
            self._route(router, address + "/32", device=device)
            self._rule(router, PROVIDER_TABLE, device)
        self._route(node, PROVIDER_BLOCK, device="zone-a", gateway="10.1.1.1", source=NODE_ADDRESSES[ZONE_A.name])
        self._route(node, PROVIDER_BLOCK, device="zone-b", gateway="10.1.2.1", table=NODE_B_TABLE)
        self.rules.append(Rule(namespace=node, priority=NODE_B_TABLE, table=NODE_B_TABLE,
                               source=NODE_ADDRESSES[ZONE_B.name]))
        for number, (address, zone) in enumerate(APPLIANCES, 1):
            name = f"appliance-{number}"
            netns = self._namespace(name, Role.APPLIANCE)
            router_address = "10.1.1.1" if zone == ZONE_A.name else "10.1.2.1"
            self._host(netns, address, router=router, device=name, router_address=router_address, mtu_bytes=0)
            self._rule(router, PROVIDER_TABLE, name)
            self.appliances.append(Machine(
                name=name, netns=netns, address=address, instance_id=self._id("i", name),
                interface_id=self._id("eni", name), zone=zone,
            ))

    # Views as AWS shows them

    def _route_tables(self) -> tuple[RouteTable, ...]:
        endpoint, gateway = self._id("vpce", "endpoint"), self._id("igw", "consumer")
        local = AwsRoute(destination=CONSUMER_BLOCK, target="local")
        return (
            self._table("edge", "consumer", gateway, EDGE_TABLE,
                        local, AwsRoute(destination=APPLICATION_BLOCK, target=endpoint)),
            self._table("endpoint", "consumer", self._id("subnet", "endpoint"), ENDPOINT_TABLE,
                        local, AwsRoute(destination=ANYWHERE, target=gateway)),
            self._table("application", "consumer", self._id("subnet", "application"), APPLICATION_TABLE,
                        local, AwsRoute(destination=ANYWHERE, target=endpoint)),
            self._table("provider", "provider", "main", PROVIDER_TABLE,
                        AwsRoute(destination=PROVIDER_BLOCK, target="local")),
        )

    def _table(self, name: str, vpc: str, association: str, table: int, *routes: AwsRoute) -> RouteTable:
        return RouteTable(id=self._id("rtb", name), name=name, vpc_id=self._id("vpc", vpc), association=association,
                          table=table, routes=routes)

    def _inventory(self) -> Inventory:
        node = self._ns("node")
        provider = {ZONE_A.name: self._id("subnet", "provider-a"), ZONE_B.name: self._id("subnet", "provider-b")}
        return Inventory(
            zones=(ZONE_A, ZONE_B),
            vpcs=(Vpc(id=self._id("vpc", "consumer"), cidr=CONSUMER_BLOCK, name="consumer"),
                  Vpc(id=self._id("vpc", "provider"), cidr=PROVIDER_BLOCK, name="provider")),
            subnets=tuple(Subnet(id=self._id("subnet", name), vpc_id=self._id("vpc", vpc), cidr=block, zone=zone.name,
                                 name=name) for name, vpc, block, zone in SUBNETS),
            instances=tuple(
                [_instance(server, self._id("subnet", "application")) for server in self.servers]
                + [_instance(appliance, provider[appliance.zone]) for appliance in self.appliances]
            ),
            nodes=tuple(Node(interface_id=self._id("eni", f"node-{device}"), subnet_id=provider[zone],
                             address=NODE_ADDRESSES[zone], device=device, netns=node)
                        for device, zone in (("zone-a", ZONE_A.name), ("zone-b", ZONE_B.name))),
            endpoints=(Endpoint(
                id=self._id("vpce", "endpoint"), interface_id=self._id("eni", "endpoint"),
                subnet_id=self._id("subnet", "endpoint"), address=ENDPOINT_ADDRESS, device=ENDPOINT_DEVICE,
                provider_vpc_id=self._id("vpc", "provider"), netns=node,
                router_mac=mac_address(self.name, self._ns("router"), "endpoint"),
            ),),
        )

    # Small parts

    def _id(self, prefix: str, name: str) -> str:
        return aws_id(self.name, prefix, name)

    def _ns(self, name: str) -> str:
        return f"{self.name}-{name}"

    def _namespace(self, name: str, role: Role) -> str:
        forwards = role in (Role.ROUTER, Role.INTERNET_GATEWAY)
        self.namespaces.append(Namespace(name=self._ns(name), role=role, forwards=forwards))
        return self._ns(name)

    def _side(self, namespace: str, device: str, address: str) -> Side:
        return Side(namespace=namespace, device=device, mac=mac_address(self.name, namespace, device),
                    addresses=(address + "/32",))

    def _link(self, one: Side, other: Side) -> None:
        self.links.append(Link(one=one, other=other, mtu_bytes=LINK_MTU_BYTES))

    def _host(self, host: str, address: str, *, router: str, device: str, router_address: str, mtu_bytes: int) -> None:
        self._link(self._side(router, device, router_address), self._side(host, "eth0", address))
        self._route(router, address + "/32", device=device)
        self._route(host, ANYWHERE, device="eth0", gateway=router_address, mtu_bytes=mtu_bytes)

    def _route(self, namespace: str, destination: str, *, device: str, gateway: str = "", source: str = "",
               table: int = 254, mtu_bytes: int = 0) -> None:
        self.routes.append(Route(namespace=namespace, destination=destination, device=device, gateway=gateway,
                                 source=source, table=table, mtu_bytes=mtu_bytes))

    def _local(self, router: str, block: str, table: int) -> None:
        """`local` of an AWS table: leave it for the main one, where every host of the VPC has its route."""
        self.routes.append(Route(namespace=router, destination=block, table=table, type=RouteType.THROW))

    def _nothing_else(self, router: str) -> None:
        """A VPC router swallows what no table routes; it sends no ICMP errors."""
        self.routes.append(Route(namespace=router, destination=ANYWHERE, type=RouteType.BLACKHOLE))

    def _rule(self, router: str, table: int, ingress_device: str) -> None:
        self.rules.append(Rule(namespace=router, priority=table, table=table, ingress_device=ingress_device))


def _instance(machine: Machine, subnet_id: str) -> Instance:
    return Instance(id=machine.instance_id, subnet_id=subnet_id, interface_id=machine.interface_id,
                    address=machine.address, name=machine.name)
