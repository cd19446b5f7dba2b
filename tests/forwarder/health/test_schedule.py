"""When targets are probed, from where, and what is told of them.  No sockets, no sleeping."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from forwarder.desired import Desired, HealthCheck, LoadBalancer, Target, TargetGroup, TargetState
from forwarder.health.probe import Outcome, ProbeResult
from forwarder.health.schedule import Schedule
from forwarder.inventory import Instance, Inventory, Node, Subnet, Vpc, Zone

INVENTORY = Inventory(
    zones=(Zone(name="a", id="az1"), Zone(name="b", id="az2"), Zone(name="c", id="az3")),
    vpcs=(Vpc(id="vpc", cidr="10.1.0.0/16"),),
    subnets=tuple(Subnet(id=f"subnet-{zone}", vpc_id="vpc", cidr="10.1.0.0/24", zone=zone) for zone in "abc"),
    nodes=(
        Node(interface_id="eni-a", subnet_id="subnet-a", address="10.1.1.10", device="na", netns="gw"),
        Node(interface_id="eni-b", subnet_id="subnet-b", address="10.1.2.10", device="nb", netns="gw"),
    ),
    instances=(
        Instance(id="i-1", subnet_id="subnet-a", interface_id="eni-1", address="10.1.1.21"),
        Instance(id="i-9", subnet_id="subnet-a", interface_id="eni-9", address="10.1.1.29", state="stopped"),
    ),
)
CHECK = HealthCheck(interval_s=10, timeout_s=2, healthy_threshold=2, unhealthy_threshold=2)
PASSED = ProbeResult(outcome=Outcome.PASSED, packets=7)
REFUSED = ProbeResult(outcome=Outcome.REFUSED, packets=2)


def target(number: int, zone: str = "a", **values: object) -> Target:
    return Target(id=f"i-{number}", address=f"10.1.1.2{number}", zone=zone, instance_id=f"i-{number}", **values)  # type: ignore[arg-type]


def desired(*targets: Target, listener: bool = True) -> Desired:
    group = TargetGroup(
        arn="arn:tg:targetgroup/fw/1", name="fw", vpc_id="vpc", health_check=CHECK, targets=targets
    )
    return Desired(revision=1, load_balancers=(LoadBalancer(
        arn="arn:lb:loadbalancer/gwy/g/1", name="g", vpc_id="vpc", subnet_ids=("subnet-a", "subnet-b"),
        target_group=group if listener else None,
    ),))


def step(schedule: Schedule, now_s: float, result: ProbeResult) -> list[str]:
    """Make every probe that is due, with the same result; the states it led to."""
    orders, changes = schedule.due(now_s, 100)
    for order in orders:
        changes += schedule.finished(order.key, result)
    return [str(change.after.state) for change in changes]


def test_a_new_target_is_probed_at_once_and_healthy_after_one_pass() -> None:
    schedule = Schedule(INVENTORY)
    assert schedule.follow(desired(target(1)), 100.0) == []
    assert schedule.next_due_s() == 100.0
    assert step(schedule, 100.0, PASSED) == ["initial", "healthy"]
    assert schedule.next_due_s() == 110.0


def test_thresholds_turn_it_unhealthy_and_back() -> None:
    schedule = Schedule(INVENTORY)
    schedule.follow(desired(target(1, state=TargetState.HEALTHY, reason="", description="")), 0.0)
    results = [PASSED, REFUSED, REFUSED, PASSED, PASSED]
    assert [step(schedule, 10.0 * turn, result) for turn, result in enumerate(results)] == [
        [], [], ["unhealthy"], [], ["healthy"]
    ]


def test_probes_leave_from_the_node_of_the_targets_zone() -> None:
    schedule = Schedule(INVENTORY)
    schedule.follow(desired(target(1, "a"), target(2, "b"), target(3, "all")), 0.0)
    orders, _ = schedule.due(0.0, 10)
    assert {order.address: order.node.interface_id for order in orders} == {
        "10.1.1.21": "eni-a", "10.1.1.22": "eni-b", "10.1.1.23": "eni-a",
    }


def test_no_more_probes_than_allowed_and_one_at_a_time_for_each() -> None:
    schedule = Schedule(INVENTORY)
    schedule.follow(desired(*(target(number) for number in range(1, 6))), 0.0)
    first, _ = schedule.due(0.0, 2)
    second, _ = schedule.due(0.0, 10)
    third, _ = schedule.due(1000.0, 10)
    assert [len(first), len(second), len(third)] == [2, 3, 0]
    schedule.finished(first[0].key, PASSED)
    assert [order.key for order in schedule.due(1000.0, 10)[0]] == [first[0].key]


def test_targets_that_cannot_be_used_are_not_probed_and_why_is_told() -> None:
    schedule = Schedule(INVENTORY)
    changes = schedule.follow(desired(target(1, "c"), target(9)), 0.0)
    assert {(change.after.state, change.after.reason) for change in changes} == {
        (TargetState.UNUSED, "Target.NotInUse"), (TargetState.UNUSED, "Target.InvalidState"),
    }
    assert schedule.due(100.0, 10) == ([], [])


def test_without_a_listener_the_targets_are_not_in_use() -> None:
    schedule = Schedule(INVENTORY)
    schedule.follow(desired(target(1)), 0.0)
    (change,) = schedule.follow(desired(target(1), listener=False), 1.0)
    assert (change.before.state, change.after.state, change.after.reason) == (
        TargetState.INITIAL, TargetState.UNUSED, "Target.NotInUse"
    )
    assert schedule.next_due_s() is None


def test_a_deregistered_target_drains_and_is_then_not_registered() -> None:
    schedule = Schedule(INVENTORY)
    schedule.follow(desired(target(1)), 0.0)
    leaving = replace(target(1), deregistered_at_s=5.0)
    (draining,) = schedule.follow(desired(leaving), 5.0)
    assert draining.after.reason == "Target.DeregistrationInProgress"
    assert schedule.next_due_s() is None
    (gone,) = schedule.follow(desired(), 305.0)
    assert gone.after.reason == "Target.NotRegistered"


def test_what_failed_on_our_side_says_nothing_about_the_target() -> None:
    schedule = Schedule(INVENTORY)
    schedule.follow(desired(target(1)), 0.0)
    for turn in range(5):
        step(schedule, 10.0 * turn, ProbeResult(outcome=Outcome.LOCAL_ERROR))
    assert schedule.outcomes["local error"] == 5
    assert [state["state"] for state in schedule.states()] == ["initial"]


def test_a_stored_state_that_another_hand_reset_is_put_right() -> None:
    schedule = Schedule(INVENTORY)
    schedule.follow(desired(target(1)), 0.0)
    step(schedule, 0.0, PASSED)
    schedule.follow(desired(target(1)), 1.0)  # the store still says initial
    (change,) = schedule.differing()
    assert (change.before.state, change.after.state) == (TargetState.INITIAL, TargetState.HEALTHY)
    schedule.follow(desired(target(1, state=TargetState.HEALTHY, reason="", description="")), 2.0)
    assert schedule.differing() == []


def test_a_late_result_of_a_target_that_is_gone_is_counted_and_ignored() -> None:
    schedule = Schedule(INVENTORY)
    schedule.follow(desired(target(1)), 0.0)
    (order,), _ = schedule.due(0.0, 1)
    schedule.follow(desired(), 1.0)
    assert schedule.finished(order.key, PASSED) == []
    assert schedule.outcomes["passed"] == 1


def test_probe_packets_are_counted_by_balancer_and_zone() -> None:
    schedule = Schedule(INVENTORY)
    schedule.follow(desired(target(1, "a"), target(2, "b")), 0.0)
    step(schedule, 0.0, PASSED)
    step(schedule, 10.0, REFUSED)
    assert schedule.probe_packets == {("gwy/g/1", "a"): 9, ("gwy/g/1", "b"): 9}


def test_a_node_that_comes_or_goes_changes_where_probes_start_from_and_nothing_else() -> None:
    schedule = Schedule(msgspec.structs.replace(INVENTORY, nodes=INVENTORY.nodes[:1]))
    there = desired(target(1, zone="b"))
    schedule.follow(there, 100.0)
    assert step(schedule, 100.0, PASSED) == ["initial", "healthy"]
    schedule.know_network(INVENTORY)
    assert schedule.follow(there, 105.0) == []
    (order,), changes = schedule.due(110.0, 10)
    assert (order.node.interface_id, changes) == ("eni-b", [])
    schedule.finished(order.key, PASSED)
    schedule.know_network(msgspec.structs.replace(INVENTORY, nodes=()))
    assert schedule.follow(there, 115.0) == []
    assert schedule.due(120.0, 10) == ([], [])
    assert schedule.outcomes["no node"] == 1
