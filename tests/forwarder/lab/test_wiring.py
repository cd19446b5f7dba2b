"""A network as namespaces: a thing that comes touches nothing else, a route without a target is a blackhole."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from forwarder.inventory import Endpoint, Instance, Inventory, Route, read_inventory
from forwarder.lab import topology
from forwarder.lab.plan import MAIN_TABLE, Plan, Role, RouteType
from forwarder.lab.wiring import wire
from tests.forwarder.control.test_network_state import WHOLE
from tests.forwarder.lab.changed_network import DEVICE, with_another_endpoint

NETWORK = topology.network("gw")
MORE = with_another_endpoint("gw", NETWORK)


def plan(network: Inventory) -> Plan:
    return wire("gw", network, host_mtu_bytes=8_500)


def test_what_comes_is_added_and_nothing_that_was_there_is_another() -> None:
    before, after = plan(NETWORK), plan(MORE)
    for part in ("namespaces", "links", "routes", "rules", "neighbours"):
        assert set(getattr(before, part)) < set(getattr(after, part)), part
    assert {entry.name for entry in after.namespaces} - {entry.name for entry in before.namespaces} == {"gw-server-new"}


def test_each_kind_of_target_is_a_next_hop() -> None:
    edge = NETWORK.route_tables[0]
    server = NETWORK.instances[0]
    routes = {
        "10.0.9.0/24": server.interface_id, "10.0.8.0/24": "vpce-00000000000000000", "10.0.7.0/24": NETWORK.endpoints[0].id,
        "198.51.100.0/24": NETWORK.internet_gateways[0].id,
    }
    table = replace(edge, routes=tuple(Route(destination=block, target=target) for block, target in routes.items()))
    made = plan(replace(NETWORK, route_tables=(table, *NETWORK.route_tables[1:])))
    number = made.route_tables[0].table
    found = {route.destination: route for route in made.routes if route.table == number}
    assert [(found[block].type, found[block].device, found[block].gateway) for block in routes] == [
        (RouteType.UNICAST, "server-1", server.address), (RouteType.BLACKHOLE, "", ""),
        (RouteType.UNICAST, "vpce0", topology.ENDPOINT_ADDRESS), (RouteType.UNICAST, "igw", "169.254.0.1"),
    ]


def test_a_target_of_another_vpc_is_none() -> None:
    provider = NETWORK.route_tables[-1]
    table = replace(provider, routes=(Route(destination="0.0.0.0/0", target=NETWORK.endpoints[0].id),))
    made = plan(replace(NETWORK, route_tables=(*NETWORK.route_tables[:-1], table)))
    number = made.route_tables[-1].table
    assert RouteType.BLACKHOLE in {route.type for route in made.routes if route.table == number}


def test_a_subnet_without_a_table_has_the_main_one_or_delivers_within_the_vpc() -> None:
    made = plan(NETWORK)
    main = made.route_tables[-1]
    assert {rule.ingress_device for rule in made.rules if rule.table == main.table} == {
        "appliance-1", "appliance-2", "appliance-3", "zone-a", "zone-b",
    }
    made = plan(replace(NETWORK, route_tables=()))
    assert not [rule for rule in made.rules if rule.ingress_device]
    assert {route.table for route in made.routes if route.namespace == "gw-consumer"} == {MAIN_TABLE}


def test_what_is_in_namespaces_of_others_is_left_to_them() -> None:
    elsewhere = Endpoint(
        id="vpce-00000000000000009", interface_id="eni-9", subnet_id=NETWORK.subnets[0].id, address="10.0.1.99", device="eth9",
        provider_vpc_id=NETWORK.vpcs[1].id, router_mac="02:00:00:00:00:09",
    )
    assert plan(replace(NETWORK, endpoints=(*NETWORK.endpoints, elsewhere))).links == plan(NETWORK).links


def test_an_instance_without_an_image_is_a_bare_host() -> None:
    made = plan(MORE)
    assert [entry.role for entry in made.namespaces if entry.name == "gw-server-new"] == [Role.INSTANCE]
    assert "server-new" not in {machine.name for machine in (*made.servers, *made.appliances)}


def test_two_things_of_one_name_are_refused() -> None:
    twin = Instance(id="i-9", subnet_id=NETWORK.subnets[1].id, interface_id="eni-9", address="10.0.2.99", name=DEVICE)
    with pytest.raises(ValueError, match="gw-consumer would have 2 devices vpce1"):
        plan(replace(MORE, instances=(*MORE.instances, twin)))


def test_a_network_that_a_person_wrote_can_be_wired() -> None:
    made = wire("p", read_inventory(WHOLE), host_mtu_bytes=1_500)
    assert {entry.name for entry in made.namespaces} >= {"p-igw", "p-consumer", "p-i-1"}
