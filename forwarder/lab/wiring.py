"""How a network is made of namespaces: from what the state store says to what Linux is told.  Pure data.

A VPC is a router's namespace.  Its instances, the balancer's interfaces and the endpoints hang on it by a link each and carry
/32 addresses, as in a VPC: only the router delivers, and it chooses the route table by the device a packet came in by.  An
internet gateway is a link to the internet's namespace, where the clients are.

Every part comes of one thing of the network and of ids alone, so that a thing that comes or goes touches nothing else.
"""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_network

from forwarder.inventory import Endpoint, Instance, InternetGateway, Inventory, Node, RouteTable, Vpc
from forwarder.lab.attachment import router_name
from forwarder.lab.names import device_name, mac_address, table_numbers
from forwarder.lab.plan import (
    MAIN_TABLE,
    AwsRoute,
    AwsTable,
    Link,
    Machine,
    Namespace,
    Neighbour,
    Plan,
    Role,
    Route,
    RouteType,
    Rule,
    Side,
)

#: Images that the lab runs on instances.
SERVER, APPLIANCE = "server", "appliance"
#: The state of an instance that has its namespace.
RUNNING = "running"
#: Every link carries AWS's jumbo frame, so that a packet too large for the balancer can reach it and be refused there.
LINK_MTU_BYTES = 9001
CLIENT_ADDRESSES = ("203.0.113.11", "203.0.113.12", "203.0.113.13")
CLIENTS_ROUTER = "203.0.113.1"
ANYWHERE = "0.0.0.0/0"
#: The wire between an internet gateway and its VPC's router, which AWS does not show.
GATEWAY_SIDE, VPC_SIDE, GATEWAY_DEVICE = "169.254.0.1", "169.254.0.2", "igw"
#: Of the rules that choose a table, behind the kernel's own for what is local.
RULE_PRIORITY = 100
_ROLES = {SERVER: Role.SERVER, APPLIANCE: Role.APPLIANCE}


def wire(name: str, network: Inventory, *, host_mtu_bytes: int) -> Plan:
    """The lab of that name with this network.  Endpoints and nodes of other namespaces than the lab's are left to who has them.

    `host_mtu_bytes` is the most that the hosts beside the appliances send.  `ValueError` when two things would have one name.
    """
    return _Draft(name, network, host_mtu_bytes).plan()


class _Draft:
    """Collects the parts."""

    def __init__(self, name: str, network: Inventory, host_mtu_bytes: int) -> None:
        self.name = name
        self.network = network
        self.host_mtu_bytes = host_mtu_bytes
        self.namespaces: dict[str, Namespace] = {}
        self.links: list[Link] = []
        self.routes: list[Route] = []
        self.rules: list[Rule] = []
        self.neighbours: list[Neighbour] = []
        self.tables = table_numbers([*(table.id for table in network.route_tables), *(node.interface_id for node in network.nodes)])
        self.endpoints = tuple(endpoint for endpoint in network.endpoints if self._is_ours(endpoint.netns))
        self.nodes = tuple(node for node in network.nodes if self._is_ours(node.netns))

    def plan(self) -> Plan:
        clients = tuple(self._client(number, address) for number, address in enumerate(CLIENT_ADDRESSES, 1))
        for vpc in self.network.vpcs:
            self._vpc(vpc)
        for gateway in self.network.internet_gateways:
            if gateway.vpc_id:
                self._gateway(gateway)
        running = [instance for instance in self.network.instances if instance.state == RUNNING]
        machines = {instance.id: self._instance(instance) for instance in running}
        for endpoint in self.endpoints:
            self._endpoint(endpoint)
        for node in self.nodes:
            self._node(node)
        for table in self.network.route_tables:
            self._table(table)
        self._check_names()
        gateways = [gateway.id for gateway in self.network.internet_gateways]
        return Plan(
            name=self.name, internet_gateway_id=gateways[0] if gateways else "", host_mtu_bytes=self.host_mtu_bytes,
            namespaces=tuple(self.namespaces.values()), links=tuple(self.links), routes=tuple(self.routes),
            rules=tuple(self.rules), neighbours=tuple(self.neighbours),
            route_tables=tuple(self._aws_table(table) for table in self.network.route_tables), clients=clients,
            servers=tuple(machines[each.id] for each in running if each.image == SERVER),
            appliances=tuple(machines[each.id] for each in running if each.image == APPLIANCE),
            inventory=self.network,
        )

    def _check_names(self) -> None:
        sides = Counter((side.namespace, side.device) for link in self.links for side in (link.one, link.other))
        for (netns, device), count in sides.items():
            if count > 1:
                raise ValueError(f"{netns} would have {count} devices {device}: two of the network's things have one name")

    # A thing at a time

    def _client(self, number: int, address: str) -> Machine:
        internet = self._namespace("igw", Role.INTERNET_GATEWAY)
        client = f"client-{number}"
        netns = self._namespace(client, Role.CLIENT)
        self._host(netns, address, router=internet, device=client, router_address=CLIENTS_ROUTER, mtu_bytes=self.host_mtu_bytes)
        return Machine(name=client, netns=netns, address=address)

    def _vpc(self, vpc: Vpc) -> None:
        """Its router swallows what no table routes; it sends no ICMP errors."""
        router = self._add(self._router(vpc), Role.ROUTER)
        self.routes.append(Route(namespace=router, destination=ANYWHERE, type=RouteType.BLACKHOLE))

    def _gateway(self, gateway: InternetGateway) -> None:
        vpc, internet = self._vpc_of(gateway.vpc_id), self._namespace("igw", Role.INTERNET_GATEWAY)
        router, device = self._router(vpc), device_name(vpc.name, vpc.id)
        self._link(self._side(internet, device, GATEWAY_SIDE), self._side(router, GATEWAY_DEVICE, VPC_SIDE))
        self._route(internet, vpc.cidr, device=device, gateway=VPC_SIDE)
        self._route(router, GATEWAY_SIDE + "/32", device=GATEWAY_DEVICE)
        self._choose_table(router, GATEWAY_DEVICE, self._table_of(gateway.id, vpc))

    def _instance(self, instance: Instance) -> Machine:
        """A namespace with one device; what an appliance sends is not held below what its links carry."""
        vpc, zone, gateway = self._place(instance.subnet_id)
        name = instance.name or instance.id
        netns, device = self._namespace(name, _ROLES.get(instance.image, Role.INSTANCE)), device_name(name, instance.id)
        mtu_bytes = 0 if instance.image == APPLIANCE else self.host_mtu_bytes
        self._host(netns, instance.address, router=self._router(vpc), device=device, router_address=gateway, mtu_bytes=mtu_bytes)
        self._choose_table(self._router(vpc), device, self._table_of(instance.subnet_id, vpc))
        return Machine(name=name, netns=netns, address=instance.address, instance_id=instance.id,
                       interface_id=instance.interface_id, zone=zone)

    def _endpoint(self, endpoint: Endpoint) -> None:
        """Its device has no address and speaks no ARP: what enters it, only the packet socket may answer."""
        vpc, _, gateway = self._place(endpoint.subnet_id)
        router, netns = self._router(vpc), self._add(endpoint.netns, Role.NODE)
        mac = mac_address(self.name, netns, endpoint.device)
        near = Side(namespace=router, device=endpoint.device, mac=endpoint.router_mac, addresses=(gateway + "/32",))
        self._link(near, Side(namespace=netns, device=endpoint.device, mac=mac, arp=False, reverse_path_filter=True))
        self.neighbours.append(Neighbour(namespace=router, device=endpoint.device, address=endpoint.address, mac=mac))
        self._route(router, endpoint.address + "/32", device=endpoint.device)
        self._choose_table(router, endpoint.device, self._table_of(endpoint.subnet_id, vpc))

    def _node(self, node: Node) -> None:
        """What leaves from its address leaves by its device."""
        vpc, _, gateway = self._place(node.subnet_id)
        router, netns, table = self._router(vpc), self._add(node.netns, Role.NODE), self.tables[node.interface_id]
        self._link(self._side(router, node.device, gateway), self._side(netns, node.device, node.address))
        self._route(router, node.address + "/32", device=node.device)
        self._route(netns, vpc.cidr, device=node.device, gateway=gateway, table=table)
        self.rules.append(Rule(namespace=netns, priority=RULE_PRIORITY, table=table, source=node.address))
        if not any(route.namespace == netns and route.destination == vpc.cidr and route.table == MAIN_TABLE for route in self.routes):
            self._route(netns, vpc.cidr, device=node.device, gateway=gateway)  # for what has no address yet
        self._choose_table(router, node.device, self._table_of(node.subnet_id, vpc))

    def _table(self, table: RouteTable) -> None:
        """`local` of an AWS table: leave it for the main one, where everything of the VPC has its route."""
        vpc, number = self._vpc_of(table.vpc_id), self.tables[table.id]
        router = self._router(vpc)
        self.routes.append(Route(namespace=router, destination=vpc.cidr, table=number, type=RouteType.THROW))
        for route in table.routes:
            device, gateway = self._target(route.target, vpc)
            if device:
                self._route(router, route.destination, device=device, gateway=gateway, table=number)
            else:
                self.routes.append(Route(namespace=router, destination=route.destination, table=number, type=RouteType.BLACKHOLE))

    def _target(self, target: str, vpc: Vpc) -> tuple[str, str]:
        """Device and next hop of a route's target in a VPC; empty when there is none: a blackhole."""
        subnets = {subnet.id for subnet in self.network.subnets if subnet.vpc_id == vpc.id}
        for endpoint in self.endpoints:
            if endpoint.id == target and endpoint.subnet_id in subnets:
                return endpoint.device, endpoint.address
        for instance in self.network.instances:
            if instance.interface_id == target and instance.subnet_id in subnets and instance.state == RUNNING:
                return device_name(instance.name or instance.id, instance.id), instance.address
        if any(gateway.id == target and gateway.vpc_id == vpc.id for gateway in self.network.internet_gateways):
            return GATEWAY_DEVICE, GATEWAY_SIDE
        return "", ""

    def _aws_table(self, table: RouteTable) -> AwsTable:
        vpc = self._vpc_of(table.vpc_id)
        routes = (AwsRoute(destination=vpc.cidr, target="local"),
                  *(AwsRoute(destination=route.destination, target=route.target) for route in table.routes))
        return AwsTable(id=table.id, name=table.name, vpc_id=table.vpc_id, associations=table.associations, main=table.main,
                        table=self.tables[table.id], router=self._router(vpc), routes=routes)

    # Small parts

    def _is_ours(self, netns: str) -> bool:
        return netns.startswith(self.name + "-")

    def _namespace(self, name: str, role: Role) -> str:
        return self._add(f"{self.name}-{name}", role)

    def _add(self, netns: str, role: Role) -> str:
        forwards = role in (Role.ROUTER, Role.INTERNET_GATEWAY)
        self.namespaces.setdefault(netns, Namespace(name=netns, role=role, forwards=forwards))
        return netns

    def _vpc_of(self, vpc_id: str) -> Vpc:
        vpc = self.network.vpc(vpc_id)
        assert vpc is not None, "a network is checked before it is wired"
        return vpc

    def _router(self, vpc: Vpc) -> str:
        return router_name(self.name, vpc)

    def _place(self, subnet_id: str) -> tuple[Vpc, str, str]:
        """VPC, zone and router's address of a subnet: the first of its block, as in AWS."""
        subnet = self.network.subnet(subnet_id)
        assert subnet is not None, "a network is checked before it is wired"
        return self._vpc_of(subnet.vpc_id), subnet.zone, str(ip_network(subnet.cidr)[1])

    def _table_of(self, association: str, vpc: Vpc) -> int | None:
        """The Linux table for what comes from there; None where all that is routed is `local`."""
        tables = [table for table in self.network.route_tables if table.vpc_id == vpc.id]
        own = [table.id for table in tables if association in table.associations]
        main = [table.id for table in tables if table.main and not association.startswith("igw-")]
        return self.tables[(own or main)[0]] if own or main else None

    def _choose_table(self, router: str, device: str, table: int | None) -> None:
        if table is not None:
            self.rules.append(Rule(namespace=router, priority=RULE_PRIORITY, table=table, ingress_device=device))

    def _side(self, namespace: str, device: str, address: str) -> Side:
        return Side(namespace=namespace, device=device, mac=mac_address(self.name, namespace, device), addresses=(address + "/32",))

    def _link(self, one: Side, other: Side) -> None:
        self.links.append(Link(one=one, other=other, mtu_bytes=LINK_MTU_BYTES))

    def _host(self, host: str, address: str, *, router: str, device: str, router_address: str, mtu_bytes: int) -> None:
        self._link(self._side(router, device, router_address), self._side(host, "eth0", address))
        self._route(router, address + "/32", device=device)
        self._route(host, ANYWHERE, device="eth0", gateway=router_address, mtu_bytes=mtu_bytes)

    def _route(
        self, namespace: str, destination: str, *, device: str, gateway: str = "", table: int = MAIN_TABLE, mtu_bytes: int = 0
    ) -> None:
        self.routes.append(Route(namespace=namespace, destination=destination, device=device, gateway=gateway, table=table,
                                 mtu_bytes=mtu_bytes))
