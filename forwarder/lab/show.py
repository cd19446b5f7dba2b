"""`gatewatch lab show`: the network as AWS would show it, where it is on this machine, and a packet's way in words."""

from __future__ import annotations

from itertools import zip_longest

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from forwarder.inventory import Subnet, Zone
from forwarder.lab import topology
from forwarder.lab.lab import Lab
from forwarder.lab.plan import Plan, Role, RouteTable
from forwarder.lab.privilege import Holder, live_holder


def show(lab: Lab, console: Console | None = None) -> None:
    """Print a lab."""
    (console or Console()).print(lab_view(lab.plan, live_holder(lab.data)))


def lab_view(plan: Plan, holder: Holder | None = None) -> RenderableType:
    """Everything about a lab, to be printed by a rich console.  `holder`: who keeps an ordinary user's lab."""
    parts = (
        ("VPCs and subnets", _subnets(plan)),
        ("Route tables", _route_tables(plan)),
        ("Machines", _machines(plan)),
        ("Gateway Load Balancer endpoint and balancer interfaces", _endpoints(plan)),
        ("The way of a packet", Padding(_way(plan), (0, 1))),
        ("Look for yourself", Padding(_commands(plan, holder), (0, 1))),
    )
    pieces: list[RenderableType] = []
    for title, content in parts:
        pieces += [Text(title, style="bold"), content, Text()]
    return Group(*pieces[:-1])


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _subnets(plan: Plan) -> Table:
    table = _table("VPC", "block", "subnet", "block", "zone", "route table")
    inventory = plan.inventory
    for vpc in inventory.vpcs:
        own = [subnet for subnet in inventory.subnets if subnet.vpc_id == vpc.id]
        for place, subnet in enumerate(own):
            first = (f"{vpc.name} {vpc.id}", vpc.cidr) if place == 0 else ("", "")
            table.add_row(*first, f"{subnet.name} {subnet.id}", subnet.cidr, _zone(plan.inventory.zones, subnet),
                          _table_of(plan, subnet))
        if vpc.name == "consumer":
            table.add_row("", "", f"internet gateway {plan.internet_gateway_id}", "", "", "edge")
        table.add_section()
    return table


def _zone(zones: tuple[Zone, ...], subnet: Subnet) -> str:
    return next(f"{zone.name} ({zone.id})" for zone in zones if zone.name == subnet.zone)


def _table_of(plan: Plan, subnet: Subnet) -> str:
    own = [table.name for table in plan.route_tables if table.association == subnet.id]
    main = [table.name for table in plan.route_tables if table.association == "main" and table.vpc_id == subnet.vpc_id]
    return (own or main or ["-"])[0]


def _route_tables(plan: Plan) -> Table:
    table = _table("route table", "Destination", "Target", "in Linux")
    for route_table in plan.route_tables:
        main = route_table.association == "main"
        association = f"the rest of {route_table.vpc_id}" if main else route_table.association
        names = (f"{route_table.name} {route_table.id}", f"  for {association}")
        where = (f"table {route_table.table} of {_router(plan, route_table)}", _ingress(plan, route_table))
        destinations = (route.destination for route in route_table.routes)
        targets = (route.target for route in route_table.routes)
        for row in zip_longest(names, destinations, targets, where, fillvalue=""):
            table.add_row(*row)
        table.add_section()
    return table


def _router(plan: Plan, table: RouteTable) -> str:
    return next(route.namespace for route in plan.routes if route.table == table.table)


def _ingress(plan: Plan, table: RouteTable) -> str:
    devices = [rule.ingress_device for rule in plan.rules if rule.table == table.table and rule.ingress_device]
    return "from " + ", ".join(devices)


def _machines(plan: Plan) -> Table:
    table = _table("machine", "address", "zone", "instance", "namespace")
    for role, machines in (("client", plan.clients), ("server", plan.servers), ("appliance", plan.appliances)):
        for machine in machines:
            note = " (target)" if role == "appliance" else ""
            table.add_row(machine.name + note, machine.address, machine.zone or "internet", machine.instance_id or "-",
                          machine.netns)
        table.add_section()
    return table


def _endpoints(plan: Plan) -> Table:
    table = _table("what", "id", "interface", "address", "device", "namespace")
    for endpoint in plan.inventory.endpoints:
        table.add_row("endpoint", endpoint.id, endpoint.interface_id, endpoint.address, endpoint.device, endpoint.netns)
    for node in plan.inventory.nodes:
        subnet = plan.inventory.subnet(node.subnet_id)
        zone = subnet.zone if subnet else "-"
        table.add_row(f"balancer, {zone}", "-", node.interface_id, node.address, node.device, node.netns)
    return table


def _way(plan: Plan) -> Text:
    client, server, appliance = plan.clients[0], plan.servers[0], plan.appliances[0]
    endpoint, node = plan.inventory.endpoints[0], plan.inventory.nodes[0]
    steps = (
        f"{client.name} ({client.address}) sends to {server.name} ({server.address}); the internet gateway hands the"
        " packet to the VPC's router.",
        f"The edge table sends {topology.APPLICATION_BLOCK} to the endpoint: the packet leaves the router on its device"
        f" endpoint and enters {endpoint.device} of {endpoint.netns}.",
        f"The balancer picks an appliance, say {appliance.name}, wraps the packet in GENEVE and sends it from"
        f" {node.address} to {appliance.address}, UDP 6081.",
        f"{appliance.name} looks at its rules and sends the packet back, or swallows it.",
        f"The balancer unwraps what came back and puts it on {endpoint.device}; the router looks in the endpoint"
        f" subnet's table, where {topology.APPLICATION_BLOCK} is local, and delivers it to {server.name}.",
        f"The answer leaves {server.name}; the application table sends 0.0.0.0/0 to the endpoint, and the balancer"
        " gives it to the same appliance.",
        "Back from inspection, the endpoint subnet's table sends it to the internet gateway, and that to the client.",
    )
    return Text("\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1)))


def _commands(plan: Plan, holder: Holder | None) -> Text:
    router = next(namespace.name for namespace in plan.namespaces if namespace.role is Role.ROUTER)
    endpoint = plan.inventory.endpoints[0]
    enter = "nsenter --user --mount --preserve-credentials --target {}   # first, to be where the lab is"
    return Text("\n".join((
        *((enter.format(holder.pid),) if holder else ()),
        f"ip -n {router} rule; ip -n {router} route show table {topology.EDGE_TABLE}",
        f"ip netns exec {endpoint.netns} tcpdump -ni {endpoint.device}          # packets before and after inspection",
        f"ip netns exec {endpoint.netns} tcpdump -ni zone-a udp port 6081   # the same in GENEVE",
        f"ip netns exec {plan.clients[0].netns} python3 -c 'import urllib.request as r;"
        f" print(r.urlopen(\"http://{plan.servers[0].address}/\").read())'",
    )))
