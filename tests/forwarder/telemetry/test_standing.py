"""Since when an endpoint stands badly, and what running totals added lately."""

from __future__ import annotations

from array import array

import pytest

from forwarder.capture.counters import EndpointCounters, EngineCounters
from forwarder.capture.drop_reason import DropReason
from forwarder.plan import EndpointPlan, Plan
from forwarder.telemetry.standing import LATELY_S, Standing, state_of
from tests.forwarder.engine.examples import target

GROUP = "targetgroup/firewalls/1"


def endpoint(refusal: DropReason | None = None, *, table: str = "", healthy: bool = False, name: str = "vpce-1") -> EndpointPlan:
    return EndpointPlan(
        endpoint_id=name, interface_id="eni-1", zone="us-east-1a", zone_id="use1-az1", endpoint_number=1, attachment_number=1,
        refusal=refusal, target_group=GROUP, table=array("i", map(int, table)), healthy_exists=healthy,
        targets=(target(1),) if table else (), target_zone_ids=("use1-az1",) if table else (),
    )


def counters(**dropped: int) -> EngineCounters:
    end = EndpointCounters(dropped={DropReason(name): count for name, count in dropped.items()})
    return EngineCounters(endpoints={"vpce-1": end}, targets=[], refused_unattributed={}, flows=0)


@pytest.mark.parametrize(("plan", "zones", "state"), [
    (endpoint(DropReason.NO_LOAD_BALANCER), [], "no_load_balancer"), (endpoint(DropReason.NO_LISTENER), [], "no_listener"),
    (endpoint(), [], "no_target"), (endpoint(), ["us-east-1b"], "no_target_in_zone"),
    (endpoint(table="0"), ["us-east-1a"], "no_healthy_target"), (endpoint(table="0", healthy=True), ["us-east-1a"], ""),
])
def test_why_nothing_passes(plan: EndpointPlan, zones: list[str], state: str) -> None:
    assert state_of(plan, {GROUP: frozenset(zones)} if zones else {}) == state


def test_packets_count_from_when_the_state_began() -> None:
    standing, well = Standing(), Plan(revision=1, endpoints=(endpoint(table="0", healthy=True),))
    bad = Plan(revision=2, endpoints=(endpoint(),))
    assert standing.endpoints(well, counters(no_target=40), {}, 10.0) == []
    [first] = standing.endpoints(bad, counters(no_target=40), {}, 20.0)
    assert (first.state, first.since_s, first.packets, first.target_group) == ("no_target", 20.0, 0, "firewalls")
    [later] = standing.endpoints(bad, counters(no_target=90), {}, 30.0)
    assert (later.since_s, later.packets) == (20.0, 50)
    assert standing.endpoints(well, counters(no_target=90), {}, 40.0) == []
    [again] = standing.endpoints(bad, counters(no_target=90), {}, 50.0)
    assert (again.since_s, again.packets) == (50.0, 0)


def test_another_reason_begins_anew() -> None:
    standing = Standing()
    standing.endpoints(Plan(revision=1, endpoints=(endpoint(),)), counters(no_target=5), {}, 1.0)
    plan = Plan(revision=2, endpoints=(endpoint(DropReason.NO_LISTENER),))
    [found] = standing.endpoints(plan, counters(no_target=9, no_listener=3), {}, 2.0)
    assert (found.state, found.since_s, found.packets) == ("no_listener", 2.0, 0)


def lately(standing: Standing, total: int, now_s: float) -> tuple[int, float] | None:
    found = standing.lately({"dropped x": total}, now_s)
    return (found[0].added, found[0].since_s) if found else None


def test_lately_is_half_a_minute() -> None:
    standing = Standing()
    assert lately(standing, 7, 0.0) is None  # what was there before anybody looked is not lately
    assert lately(standing, 10, 10.0) == (3, 10.0)
    assert lately(standing, 12, 30.0) == (5, 10.0)
    assert lately(standing, 12, 10.0 + LATELY_S + 1) == (2, 10.0)
    assert lately(standing, 12, 30.0 + LATELY_S) is None


def test_what_stood_still_long_enough_begins_anew() -> None:
    standing = Standing()
    for second, total in enumerate([0, 1] + [1] * 40):
        lately(standing, total, float(second))
    assert lately(standing, 2, 50.0) == (1, 50.0)


def test_a_total_that_is_gone_is_forgotten() -> None:
    standing = Standing()
    standing.lately({"sent i-1": 5}, 0.0)
    assert standing.lately({}, 1.0) == []
    assert standing.lately({"sent i-1": 9}, 2.0) == []
