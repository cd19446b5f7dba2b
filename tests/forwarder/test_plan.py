"""From desired state and inventory to the plan: which balancer, node, targets and table an endpoint gets."""

from __future__ import annotations

from array import array
from dataclasses import replace

import pytest
from msgspec import structs

from forwarder.capture.drop_reason import DropReason
from forwarder.desired import ALL_ZONES, Desired, TargetState
from forwarder.inventory import PENDING_ACCEPTANCE, REJECTED, Endpoint, EndpointService, Inventory
from forwarder.plan import EndpointPlan, make_plan, resource_number
from tests.forwarder.engine.examples import INVENTORY, SLOTS, balancer, draining, group, plan, plan_of, target


def chosen(endpoint: EndpointPlan) -> set[str]:
    return {endpoint.targets[position].id for position in endpoint.table}


def test_an_endpoint_gets_the_node_and_the_targets_of_its_zone() -> None:
    made = plan([target(1), target(2), target(1, zone=1)])
    first, _, other_zone, _ = made.endpoints
    assert first.node is not None
    assert other_zone.node is not None
    assert (first.node.address, first.zone, first.zone_id) == ("10.1.0.200", "us-east-1a", "use1-az1")
    assert (other_zone.node.address, other_zone.zone_id) == ("10.1.1.200", "use1-az2")
    assert (chosen(first), chosen(other_zone)) == ({"10.1.0.1", "10.1.0.2"}, {"10.1.1.1"})
    assert len(first.table) == SLOTS
    assert first.refusal is None
    assert first.load_balancer == "gwy/gateway/fedcba9876543210"
    assert first.target_group == "targetgroup/appliances/0123456789abcdef"
    assert (first.endpoint_number, first.attachment_number) == (0xA0, 0xA0)


def test_with_cross_zone_on_every_node_sees_all_targets() -> None:
    made = plan([target(1), target(1, zone=1)], of_balancer={"cross_zone": True})
    assert [chosen(endpoint) for endpoint in made.endpoints[:3]] == [{"10.1.0.1", "10.1.1.1"}] * 3
    assert made.endpoints[0].target_zone_ids == ("use1-az1", "use1-az2")


def test_a_target_of_all_zones_is_every_nodes() -> None:
    made = plan([target(1), replace(target(9), zone=ALL_ZONES)])
    assert [chosen(endpoint) for endpoint in made.endpoints[:3]] == [
        {"10.1.0.1", "10.1.0.9"}, {"10.1.0.1", "10.1.0.9"}, {"10.1.0.9"},
    ]
    assert made.endpoints[0].target_zone_ids == ("use1-az1", "-")


def test_cross_zone_reaches_enabled_zones_only() -> None:
    made = plan([target(1), target(1, zone=1)], of_balancer={"cross_zone": True, "subnet_ids": ("subnet-pa",)})
    assert chosen(made.endpoints[0]) == {"10.1.0.1"}
    assert made.endpoints[2].refusal is DropReason.NO_LOAD_BALANCER


def test_the_oldest_balancer_of_the_provider_vpc_wins() -> None:
    made = plan_of(
        balancer(group(), name="elsewhere", vpc_id="vpc-consumer"),
        balancer(group(), name="zone-b-only", subnet_ids=("subnet-pb",)),
        balancer(group(), name="older"), balancer(group(), name="younger"),
    )
    names = [endpoint.load_balancer for endpoint in made.endpoints]
    assert names == [
        "gwy/older/fedcba9876543210", "gwy/older/fedcba9876543210", "gwy/zone-b-only/fedcba9876543210", None,
    ]


def test_an_endpoint_of_a_service_connects_to_the_services_balancers_alone() -> None:
    lone, other = balancer(group([target(1)])), balancer(group([target(2)]), "other")
    service = EndpointService(id="vpce-svc-1", load_balancer_arns=(other.arn,))
    first = structs.replace(INVENTORY.endpoints[0], provider_vpc_id="", service_id=service.id)

    def connected(endpoint: Endpoint, *services: EndpointService) -> str | None:
        network = structs.replace(INVENTORY, endpoint_services=services, endpoints=(endpoint,))
        return make_plan(Desired(revision=1, load_balancers=(lone, other)), network, maglev_slots=SLOTS).endpoints[0].load_balancer_arn

    assert connected(first, service) == other.arn
    assert connected(first) is None
    assert connected(structs.replace(first, connection=PENDING_ACCEPTANCE), service) is None
    assert connected(structs.replace(first, connection=REJECTED), service) is None


def test_without_balancer_or_listener_nothing_is_forwarded() -> None:
    assert [endpoint.refusal for endpoint in plan_of().endpoints] == [DropReason.NO_LOAD_BALANCER] * 4
    listening = plan_of(balancer(None)).endpoints
    assert [endpoint.refusal for endpoint in listening[:3]] == [DropReason.NO_LISTENER] * 3
    assert listening[0].load_balancer is not None


def test_the_table_is_over_the_healthy_ones_else_all_registered() -> None:
    sick = target(3, TargetState.UNHEALTHY)
    first = plan([target(1), sick, draining(4)]).endpoints[0]
    assert (chosen(first), first.healthy_exists, len(first.targets)) == ({"10.1.0.1"}, True, 3)
    first = plan([sick, draining(4)]).endpoints[0]
    assert (chosen(first), first.healthy_exists) == ({"10.1.0.3"}, False)
    assert len(plan([draining(4)]).endpoints[0].table) == 0


def test_an_address_that_is_not_ipv4_gets_no_packets() -> None:
    assert chosen(plan([target(1), target(2, address="2001:db8::2")]).endpoints[0]) == {"10.1.0.1"}


def test_idle_timeout_is_the_listeners_with_5_tuple_only() -> None:
    assert plan(of_balancer={"tcp_idle_timeout_s": 90}).endpoints[0].tcp_idle_timeout_s == 90
    made = plan(of_balancer={"tcp_idle_timeout_s": 90}, stickiness="source_ip_dest_ip")
    assert made.endpoints[0].tcp_idle_timeout_s == 350


def test_a_target_is_found_by_id_and_address() -> None:
    first = plan().endpoints[0]
    assert first.target_now("10.1.0.1", "10.1.0.1") is first.targets[0]
    assert first.target_now("10.1.0.1", "10.1.0.9") is None


@pytest.mark.parametrize(("resource_id", "number"), [
    ("vpce-00a1b2c3d4e5f6071", 0x0A1B2C3D4E5F6071), ("eni-0123456789abcdef0", 0x123456789ABCDEF0),
    ("vpce-1a2b3c4d", 0x1A2B3C4D),
])
def test_an_id_becomes_its_last_16_digits(resource_id: str, number: int) -> None:
    assert resource_number(resource_id) == number


def test_other_texts_become_a_number_too() -> None:
    assert 0 <= resource_number("endpoint-blue") < 2**64
    assert resource_number("endpoint-blue") != resource_number("endpoint-red")


def rebuilt(**changes: object) -> Inventory:
    fields = ("zones", "vpcs", "subnets", "instances", "nodes", "endpoints")
    known = {name: getattr(INVENTORY, name) for name in fields}
    return Inventory(**{**known, **changes})


def test_endpoints_that_appliances_could_not_tell_apart_are_refused() -> None:
    twin = type(INVENTORY.endpoints[0])(
        id="vpce-100000000000000a0", interface_id="eni-x", subnet_id="subnet-ca", address="10.0.0.9", device="x",
        provider_vpc_id="vpc-provider", router_mac="02:00:00:00:00:01",
    )
    with pytest.raises(ValueError, match="vpce-000000000000000a0 and vpce-100000000000000a0 have the same last 16"):
        make_plan(Desired(revision=1), rebuilt(endpoints=(INVENTORY.endpoints[0], twin)), maglev_slots=SLOTS)


def test_a_node_must_have_an_ipv4_address() -> None:
    node = type(INVENTORY.nodes[0])(interface_id="eni-v6", subnet_id="subnet-pa", address="2001:db8::1", device="n")
    desired = Desired(revision=1, load_balancers=(balancer(group()),))
    with pytest.raises(ValueError, match="node eni-v6 has address '2001:db8::1'; it must be IPv4"):
        make_plan(desired, rebuilt(nodes=(node,)), maglev_slots=SLOTS)


def test_the_number_of_slots_must_be_a_prime() -> None:
    with pytest.raises(ValueError, match="maglev_slots is 8"):
        make_plan(Desired(revision=1, load_balancers=(balancer(group()),)), INVENTORY, maglev_slots=8)


def test_a_table_that_points_past_the_targets_is_no_plan() -> None:
    made = plan().endpoints[0]
    with pytest.raises(AssertionError):
        replace(made, table=array("i", [len(made.targets)]))
    with pytest.raises(AssertionError):
        replace(made, table=array("i", [-1]))
