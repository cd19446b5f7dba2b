"""Counters by endpoint become samples by load balancer and zone."""

from __future__ import annotations

from forwarder.capture.counters import EndpointCounters, EngineCounters
from forwarder.capture.drop_reason import DropReason
from forwarder.desired import Desired, LoadBalancer, Target, TargetGroup, TargetState
from forwarder.inventory import Inventory
from forwarder.telemetry.gateway_metrics import Hosts
from forwarder.telemetry.samples import Samples, books_of


def balancer(number: int, *targets: Target) -> LoadBalancer:
    group = TargetGroup(arn=f"arn:tg:targetgroup/t/{number}", name="t", vpc_id="vpc-provider", targets=targets)
    return LoadBalancer(
        arn=f"arn:lb:loadbalancer/gwy/g/{number}", name="g", vpc_id="vpc-provider",
        subnet_ids=("subnet-node", "subnet-node-b"), target_group=group,
    )


def counters(sent: int, active: int = 0, load_balancer: str | None = "gwy/g/1") -> EngineCounters:
    """One endpoint in the first zone that did something, and one in the other that did not."""
    first = EndpointCounters(
        offered=sent, sent=sent, sent_bytes=100 * sent, active_flows=active, load_balancer=load_balancer, zone="us-east-1a")
    second = EndpointCounters(load_balancer=load_balancer, zone="us-east-1b")
    return EngineCounters(endpoints={"vpce-1": first, "vpce-2": second}, targets=[], refused_unattributed={}, flows=active)


def sample(samples: Samples, inventory: Inventory, desired: Desired, counted: EngineCounters) -> dict[tuple[str, str], int]:
    taken = samples.take(0.0, counted, inventory, desired, {("gwy/g/1", "us-east-1a"): 7})
    return {place: total.packets for place, total in taken.totals.items()}


def test_every_enabled_zone_is_there_and_what_an_endpoint_did_counts_for_its_zone(inventory: Inventory) -> None:
    desired = Desired(revision=1, load_balancers=(balancer(1),))
    samples = Samples()
    assert sample(samples, inventory, desired, counters(5)) == {("gwy/g/1", "us-east-1a"): 5, ("gwy/g/1", "us-east-1b"): 0}
    assert sample(samples, inventory, desired, counters(8))["gwy/g/1", "us-east-1a"] == 8


def test_what_was_sent_before_stays_with_the_balancer_of_then(inventory: Inventory) -> None:
    samples = Samples()
    sample(samples, inventory, Desired(revision=1, load_balancers=(balancer(1),)), counters(5))
    after = sample(samples, inventory, Desired(revision=2, load_balancers=(balancer(2),)), counters(9, load_balancer="gwy/g/2"))
    assert after == {("gwy/g/2", "us-east-1a"): 4, ("gwy/g/2", "us-east-1b"): 0}


def test_active_flows_are_a_level_and_probes_are_apart(inventory: Inventory) -> None:
    desired = Desired(revision=1, load_balancers=(balancer(1),))
    samples = Samples()
    for active in (3, 2):
        taken = samples.take(0.0, counters(5, active), inventory, desired, {("gwy/g/1", "us-east-1a"): 7})
        total = taken.totals["gwy/g/1", "us-east-1a"]
        assert (total.flows_active, total.packets, total.probe_packets) == (active, 5, 7)


def test_a_prober_that_starts_again_takes_no_packets_back(inventory: Inventory) -> None:
    desired = Desired(revision=1, load_balancers=(balancer(1),))
    samples = Samples()
    place = ("gwy/g/1", "us-east-1a")
    found = [
        samples.take(0.0, counters(0), inventory, desired, {} if told is None else {place: told}).totals[place].probe_packets
        for told in (700, 707, None, 714, 0, 14, 21)
    ]
    assert found == [700, 707, 707, 714, 714, 728, 735]


def test_hosts_count_healthy_and_unhealthy_and_nothing_else(inventory: Inventory) -> None:
    states = [TargetState.HEALTHY, TargetState.UNHEALTHY, TargetState.INITIAL, TargetState.DRAINING, TargetState.UNUSED]
    targets = [Target(id=f"i-{state}", address="10.1.1.9", zone="us-east-1a", state=state) for state in states]
    desired = Desired(revision=1, load_balancers=(balancer(1, *targets),))
    hosts = Samples().take(0.0, counters(0), inventory, desired, {}).hosts
    assert hosts == {
        ("gwy/g/1", "targetgroup/t/1", "us-east-1a"): Hosts(healthy=1, unhealthy=1),
        ("gwy/g/1", "targetgroup/t/1", "us-east-1b"): Hosts(),
    }


def test_the_books_are_the_sums_over_endpoints() -> None:
    ends = {
        "vpce-1": EndpointCounters(
            offered=10, sent=9, returned=8, delivered=7, originated=1,
            dropped={DropReason.OVERSIZE: 1, DropReason.NOT_RETURNED: 2, DropReason.DELIVER_FAILED: 1},
            refused={DropReason.RETURN_WRONG_COOKIE: 3},
        ),
        "vpce-2": EndpointCounters(offered=1, dropped={DropReason.OVERSIZE: 1}),
    }
    books = books_of(EngineCounters(
        endpoints=ends, targets=[], refused_unattributed={DropReason.RETURN_MALFORMED: 2}, flows=0
    ))
    assert books.offered + books.originated == books.delivered + sum(books.dropped.values())
    assert books.dropped == {"oversize": 2, "not_returned": 2, "deliver_failed": 1}
    assert books.refused == {"return_wrong_cookie": 3, "return_malformed": 2}
