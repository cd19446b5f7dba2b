"""`gatewatch lab show`: the network as AWS would show it, where it is on this machine, and a packet's way in words."""

from __future__ import annotations

from itertools import zip_longest
from textwrap import wrap

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from forwarder.inventory import Subnet
from forwarder.lab import topology
from forwarder.lab.lab import Lab
from forwarder.lab.plan import AwsTable, Plan
from forwarder.lab.privilege import Holder, live_holder

#: Characters of a route table's lines, so that the whole table fits 80.
ABOUT_WIDTH = 40
NOT_INSPECTED = "The route tables were changed; what they say above is the way packets take."


def show(lab: Lab, console: Console | None = None) -> None:
    """Print a lab.  A command that is longer than a line is not broken, so that it can be copied."""
    (console or Console()).print(lab_view(lab.plan, live_holder(lab.data)), crop=False)


def lab_view(plan: Plan, holder: Holder | None = None) -> RenderableType:
    """Everything about a lab, to be printed by a rich console.  `holder`: who keeps an ordinary user's lab."""
    parts = (
        ("VPCs and subnets", Group(_subnets(plan), Padding(_zones(plan), (0, 1)))),
        ("Route tables", _route_tables(plan)),
        ("Machines; the appliances are the targets", _machines(plan)),
        ("Gateway Load Balancer endpoint and balancer interfaces", _endpoints(plan)),
        ("The way of a packet", Padding(_way(plan) if _is_inspected(plan) else Text(NOT_INSPECTED), (0, 1))),
        *((("Look for yourself", _commands(plan, holder)),) if plan.inventory.endpoints and plan.inventory.nodes and plan.servers else ()),
    )
    pieces: list[RenderableType] = []
    for title, content in parts:
        pieces += [Text(title, style="bold"), content, Text()]
    return Group(*pieces[:-1])


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _subnets(plan: Plan) -> Table:
    """VPCs with their subnets below them; ids have a column of their own, so that none is broken on 80 columns."""
    table = _table("VPC, subnet", "id", "block", "zone", "route table")
    inventory = plan.inventory
    for vpc in inventory.vpcs:
        table.add_row(vpc.name, vpc.id, vpc.cidr)
        for subnet in inventory.subnets:
            if subnet.vpc_id == vpc.id:
                table.add_row(f"  {subnet.name}", subnet.id, subnet.cidr, subnet.zone, _table_of(plan, subnet))
        if vpc.name == "consumer":
            table.add_row("  internet", plan.internet_gateway_id, "", "", "edge")
        table.add_section()
    return table


def _zones(plan: Plan) -> str:
    return "Zones: " + ", ".join(f"{zone.name} is {zone.id}" for zone in plan.inventory.zones)


def _table_of(plan: Plan, subnet: Subnet) -> str:
    own = [table.name for table in plan.route_tables if subnet.id in table.associations]
    main = [table.name for table in plan.route_tables if table.main and table.vpc_id == subnet.vpc_id]
    return (own or main or ["-"])[0]


def _route_tables(plan: Plan) -> Table:
    table = _table("route table", "Destination", "Target")
    for route_table in plan.route_tables:
        destinations = (route.destination for route in route_table.routes)
        targets = (route.target for route in route_table.routes)
        for row in zip_longest(_about(plan, route_table), destinations, targets, fillvalue=""):
            table.add_row(*row)
        table.add_section()
    return table


def _about(plan: Plan, table: AwsTable) -> list[str]:
    """A route table's id, whom it is for, and where it is in Linux."""
    whom = [*table.associations, *([f"the rest of {table.vpc_id}"] if table.main else [])]
    ingress = wrap(_ingress(plan, table), ABOUT_WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
    return [f"{table.name} {table.id}", *(f"  for {one}" for one in whom or ["nobody"]),
            f"  Linux: table {table.table} of {table.router}", *ingress]


def _ingress(plan: Plan, table: AwsTable) -> str:
    devices = [rule.ingress_device for rule in plan.rules if rule.table == table.table and rule.ingress_device]
    return "from " + (", ".join(devices) or "no device")


def _machines(plan: Plan) -> Table:
    table = _table("machine", "address", "zone", "instance", "namespace")
    for machines in (plan.clients, plan.servers, plan.appliances):
        for machine in machines:
            table.add_row(machine.name, machine.address, machine.zone or "internet", machine.instance_id or "-",
                          machine.netns)
        table.add_section()
    return table


def _endpoints(plan: Plan) -> Table:
    table = _table("endpoint, balancer", "interface", "address", "device", "namespace")
    for endpoint in plan.inventory.endpoints:
        table.add_row(endpoint.id, endpoint.interface_id, endpoint.address, endpoint.device, endpoint.netns)
    for node in plan.inventory.nodes:
        subnet = plan.inventory.subnet(node.subnet_id)
        zone = subnet.zone if subnet else "-"
        table.add_row(f"balancer {zone}", node.interface_id, node.address, node.device, node.netns)
    return table


def _is_inspected(plan: Plan) -> bool:
    """Whether packets take the way that the lab begins with: through its endpoint, in and out."""
    if not (plan.inventory.endpoints and plan.inventory.nodes and plan.servers and plan.appliances):
        return False
    to_endpoint = {table.name for table in plan.route_tables for route in table.routes
                   if route.target == plan.inventory.endpoints[0].id and table.associations}
    return {"edge", "application"} <= to_endpoint


def _way(plan: Plan) -> Text:
    client, server, appliance = plan.clients[0], plan.servers[0], plan.appliances[0]
    endpoint, node = plan.inventory.endpoints[0], plan.inventory.nodes[0]
    steps = (
        f"{client.name} ({client.address}) sends to {server.name} ({server.address}); the internet gateway hands the"
        " packet to the VPC's router.",
        f"The edge table sends {topology.APPLICATION_BLOCK} to the endpoint: the packet leaves the router on its device"
        f" {endpoint.device} and enters {endpoint.device} of {endpoint.netns}.",
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
    tables = (f"; ip -n {table.router} route show table {table.table}" for table in plan.route_tables[:1])
    router = plan.router_of_endpoint
    endpoint, node = plan.inventory.endpoints[0], plan.inventory.nodes[0]
    enter = "nsenter --user --mount --preserve-credentials --target {}"
    client, server = plan.clients[0], plan.servers[0]
    commands = (
        *((("first, to be where the lab is", enter.format(holder.pid)),) if holder else ()),
        ("which table a packet meets, and one of the tables",
         f"ip -n {router} rule{''.join(tables)}"),
        ("packets before and after inspection", f"ip netns exec {endpoint.netns} tcpdump -ni {endpoint.device}"),
        ("the same in GENEVE", f"ip netns exec {node.netns} tcpdump -ni {node.device} udp port 6081"),
        (f"a page from {server.name}, through the gateway",
         f"ip netns exec {client.netns} python3 -c 'import urllib.request as r;"
         f" print(r.urlopen(\"http://{server.address}/\").read())'"),
    )
    text = Text(no_wrap=True, overflow="ignore")
    for about, command in commands:
        text.append(f" # {about}\n", style="dim").append(f" {command}\n")
    text.rstrip()
    return text
