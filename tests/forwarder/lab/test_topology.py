"""The lab's network as data: ids as AWS writes them, everything connected, the inventory readable."""

from __future__ import annotations

import re
from collections import Counter
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path

import msgspec
import pytest
import tomli_w

from forwarder.inventory import read_inventory
from forwarder.lab import topology
from forwarder.lab.plan import MAIN_TABLE, Plan, Role, RouteType


@pytest.fixture
def plan() -> Plan:
    return topology.plan()


def test_the_same_name_gives_the_same_network_and_another_name_other_ids(plan: Plan) -> None:
    assert topology.plan() == plan
    assert topology.plan("other").inventory.vpcs[0].id != plan.inventory.vpcs[0].id


def test_ids_are_as_aws_writes_them(plan: Plan) -> None:
    inventory = plan.inventory
    things = [*inventory.vpcs, *inventory.subnets, *inventory.instances, *inventory.endpoints, *plan.route_tables]
    ids = [thing.id for thing in things]
    ids += [thing.interface_id for thing in (*inventory.instances, *inventory.nodes, *inventory.endpoints)]
    ids.append(plan.internet_gateway_id)
    assert all(re.fullmatch(r"(vpc|subnet|i|eni|vpce|rtb|igw)-0[0-9a-f]{16}", one) for one in ids)
    assert not [one for one, count in Counter(ids).items() if count > 1]


def test_the_inventory_can_be_written_and_read(plan: Plan, tmp_path: Path) -> None:
    file = tmp_path / "inventory.toml"
    file.write_text(tomli_w.dumps(msgspec.to_builtins(plan.inventory)), encoding="utf-8")
    assert read_inventory(file) == plan.inventory


def test_addresses_lie_in_their_subnets(plan: Plan) -> None:
    for thing in (*plan.inventory.instances, *plan.inventory.nodes, *plan.inventory.endpoints):
        subnet = plan.inventory.subnet(thing.subnet_id)
        assert subnet is not None
        assert ip_address(thing.address) in ip_network(subnet.cidr)


def test_names_fit_the_kernel_and_nothing_is_named_twice(plan: Plan) -> None:
    names = {namespace.name for namespace in plan.namespaces}
    assert len(names) == len(plan.namespaces)
    sides = [side for name in names for side in plan.sides(name)]
    assert len(sides) == 2 * len(plan.links)
    assert all(len(side.device) <= 15 for side in sides)
    assert len({(side.namespace, side.device) for side in sides}) == len({side.mac for side in sides}) == len(sides)
    assert all(int(side.mac[:2], 16) & 3 == 2 for side in sides), "locally administered, unicast"


def test_routes_rules_and_neighbours_name_devices_that_exist(plan: Plan) -> None:
    devices = {(side.namespace, side.device) for link in plan.links for side in (link.one, link.other)}
    tables = {(route.namespace, route.table) for route in plan.routes}
    for route in plan.routes:
        assert route.type is not RouteType.UNICAST or (route.namespace, route.device) in devices
    for rule in plan.rules:
        assert (rule.namespace, rule.table) in tables
        assert not rule.ingress_device or (rule.namespace, rule.ingress_device) in devices
    for neighbour in plan.neighbours:
        assert (neighbour.namespace, neighbour.device) in devices


def test_gateways_are_at_the_other_end_of_the_link(plan: Plan) -> None:
    ends = {(side.namespace, side.device): other
            for link in plan.links for side, other in ((link.one, link.other), (link.other, link.one))}
    known = {(entry.namespace, entry.device, entry.address) for entry in plan.neighbours}
    for route in plan.routes:
        if route.gateway and (route.namespace, route.device, route.gateway) not in known:
            other = ends[route.namespace, route.device]
            assert route.gateway in [str(ip_interface(address).ip) for address in other.addresses]


def test_the_linux_tables_say_what_the_aws_tables_say(plan: Plan) -> None:
    endpoint = plan.inventory.endpoints[0]
    for table in plan.route_tables:
        routes = {route.destination: route for route in plan.routes if route.table == table.table and route.table != MAIN_TABLE}
        assert {entry.destination for entry in table.routes} == set(routes)
        for entry in table.routes:
            route = routes[entry.destination]
            if entry.target == "local":
                assert route.type is RouteType.THROW
            elif entry.target == endpoint.id:
                assert (route.device, route.gateway) == (endpoint.device, endpoint.address)
            else:
                assert (entry.target, route.device) == (plan.internet_gateway_id, "igw")


def test_the_endpoint_answers_for_nobody(plan: Plan) -> None:
    endpoint = plan.inventory.endpoints[0]
    device = next(side for side in plan.sides(endpoint.netns) if side.device == endpoint.device)
    assert device.addresses == ()
    assert not device.arp
    assert device.reverse_path_filter
    assert not next(namespace for namespace in plan.namespaces if namespace.name == endpoint.netns).forwards
    router = next(side for side in plan.sides("gw-consumer") if side.device == endpoint.device)
    assert endpoint.router_mac == router.mac
    assert [entry.mac for entry in plan.neighbours] == [device.mac]


def test_hosts_send_8500_bytes_over_links_that_carry_more(plan: Plan) -> None:
    assert {link.mtu_bytes for link in plan.links} == {9_001}
    hosts = {machine.netns for machine in (*plan.clients, *plan.servers)}
    assert {route.mtu_bytes for route in plan.routes if route.namespace in hosts} == {8_500}
    smaller = topology.plan(host_mtu_bytes=1_500)
    assert {route.mtu_bytes for route in smaller.routes if route.namespace in hosts} == {1_500}


def test_two_appliances_in_one_zone_and_one_in_the_other(plan: Plan) -> None:
    assert [machine.zone for machine in plan.appliances] == ["us-east-1a", "us-east-1a", "us-east-1b"]
    assert Counter(namespace.role for namespace in plan.namespaces)[Role.ROUTER] == 2
