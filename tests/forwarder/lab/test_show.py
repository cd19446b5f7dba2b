"""`lab show`: everything a person needs to follow a packet is on the page, and its commands name what exists."""

from __future__ import annotations

import io
import re

from msgspec.structs import replace
from rich.console import Console

from forwarder.lab import topology
from forwarder.lab.plan import Plan
from forwarder.lab.privilege import Holder
from forwarder.lab.show import NOT_INSPECTED, lab_view
from forwarder.lab.wiring import wire


def page(plan: Plan, holder: Holder | None = None, width: int = 160) -> str:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(lab_view(plan, holder), crop=False)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_everything_is_on_the_page() -> None:
    plan = topology.plan()
    text = page(plan)
    inventory = plan.inventory
    for thing in (*inventory.vpcs, *inventory.subnets, *inventory.instances, *inventory.endpoints, *plan.route_tables):
        assert thing.id in text
    for machine in (*plan.clients, *plan.servers, *plan.appliances):
        assert re.search(rf"{machine.name}.*{machine.address}.*{machine.netns}", text)
    for table in plan.route_tables:
        for route in table.routes:
            assert re.search(rf"{re.escape(route.destination)} +{route.target}", text)


def test_the_route_tables_read_as_aws_prescribes() -> None:
    plan = topology.plan()
    lines = page(plan).splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip().startswith("edge rtb-"))
    assert re.search(r"10\.0\.0\.0/16 +local", lines[start])
    assert re.search(rf"for {plan.internet_gateway_id} +10\.0\.2\.0/24 +{plan.inventory.endpoints[0].id}", lines[start + 1])
    assert lines[start + 2].strip() == f"Linux: table {plan.route_tables[0].table} of {plan.name}-consumer"
    assert lines[start + 3].strip() == "from igw"


def test_on_eighty_columns_no_id_and_no_command_is_broken() -> None:
    plan = topology.plan()
    text = page(plan, width=80)
    inventory = plan.inventory
    for thing in (*inventory.vpcs, *inventory.subnets, *inventory.instances, *inventory.endpoints, *plan.route_tables):
        assert thing.id in text
    for machine in (*plan.clients, *plan.servers, *plan.appliances):
        assert re.search(rf"{machine.name} .*{machine.address}.*{machine.netns}", text)
    assert f"print(r.urlopen(\"http://{plan.servers[0].address}/\").read())'" in text
    tables = text[:text.index("The way of a packet")]
    assert max(len(line.rstrip()) for line in tables.splitlines()) <= 80


def test_an_ordinary_users_lab_says_how_to_get_in() -> None:
    assert "--target 4711" in page(topology.plan(), Holder(pid=4711, start_ticks=1))
    assert "nsenter" not in page(topology.plan())


def test_a_network_that_was_changed_is_shown_as_it_is() -> None:
    network = topology.network("gw")
    edge, *others = network.route_tables
    for changed in (replace(network, route_tables=(replace(edge, routes=()), *others)), replace(network, endpoints=()),
                    replace(network, route_tables=())):
        text = page(wire("gw", changed, host_mtu_bytes=8_500))
        assert NOT_INSPECTED in text
        assert "The edge table sends" not in text
    assert "Look for yourself" not in page(wire("gw", replace(network, endpoints=()), host_mtu_bytes=8_500))
