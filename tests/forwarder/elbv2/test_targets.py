"""Targets: registering, draining, coming back, and the health that is shown."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from forwarder.control.store import Observation
from forwarder.desired import TargetState

ONE, TWO, ZONE_C = "i-0a000000000000001", "i-0a000000000000002", "i-0a000000000000004"


def in_use(api: Any, **more: Any) -> str:
    group = api.target_group(**more)
    api.listener(api.load_balancer(), group)
    return str(group)


def deregister(api: Any, group: str, *ids: str) -> None:
    api.elbv2("DeregisterTargets", TargetGroupArn=group, Targets=[{"Id": target_id} for target_id in ids])


def test_a_target_of_a_group_that_no_listener_uses_is_unused(api: Any) -> None:
    group = api.target_group()
    api.register(group, ONE)
    assert api.health(group) == {ONE: {
        "State": "unused", "Reason": "Target.NotInUse",
        "Description": "Target group is not configured to receive traffic from the load balancer",
    }}


def test_a_new_target_is_initial_and_then_what_the_prober_says(api: Any) -> None:
    group = in_use(api)
    api.register(group, ONE, TWO)
    assert api.health(group)[ONE] == {
        "State": "initial", "Reason": "Elb.RegistrationInProgress", "Description": "Target registration is in progress",
    }
    failed = {"reason": "Target.FailedHealthChecks", "description": "Health checks failed"}
    api.store.observe([
        Observation(target_group_arn=group, target_id=ONE, state=TargetState.HEALTHY),
        Observation(target_group_arn=group, target_id=TWO, state=TargetState.UNHEALTHY, **failed),
    ])
    assert api.health(group) == {
        ONE: {"State": "healthy"},
        TWO: {"State": "unhealthy", "Reason": failed["reason"], "Description": failed["description"]},
    }


def test_a_target_in_a_zone_that_is_not_enabled_is_unused_for_the_packet_process_too(api: Any) -> None:
    group = in_use(api)
    api.register(group, ZONE_C)
    assert api.health(group)[ZONE_C]["Description"] == (
        "Target is in an Availability Zone that is not enabled for the load balancer"
    )
    (target,) = api.store.desired().load_balancers[0].target_group.targets
    assert target.state is TargetState.UNUSED


def test_a_target_that_was_stopped_is_unused(api: Any) -> None:
    group = in_use(api)
    api.register(group, ONE)
    stopped = tuple(
        msgspec.structs.replace(instance, state="stopped") if instance.id == ONE else instance
        for instance in api.inventory.instances
    )
    api.import_network(msgspec.structs.replace(api.inventory, instances=stopped))
    assert api.health(group)[ONE] == {
        "State": "unused", "Reason": "Target.InvalidState", "Description": "Target is in the stopped state",
    }


def test_deregistering_drains_for_the_delay(api: Any) -> None:
    group = in_use(api)
    api.register(group, ONE)
    deregister(api, group, ONE)
    assert api.health(group)[ONE] == {
        "State": "draining", "Reason": "Target.DeregistrationInProgress",
        "Description": "Target deregistration is in progress",
    }
    deregistered_s = api.now_s
    api.now_s += 200
    deregister(api, group, ONE)
    assert api.store.desired().load_balancers[0].target_group.targets[0].deregistered_at_s == deregistered_s
    api.now_s += 100
    assert api.health(group) == {}, "the delay is over, whether or not the packet process has noticed"


def test_a_draining_target_that_is_registered_again_starts_anew(api: Any) -> None:
    group = in_use(api)
    api.register(group, ONE)
    api.store.observe([Observation(target_group_arn=group, target_id=ONE, state=TargetState.HEALTHY)])
    deregister(api, group, ONE)
    api.register(group, ONE)
    assert api.health(group)[ONE]["State"] == "initial"
    assert api.store.desired().load_balancers[0].target_group.targets[0].deregistered_at_s is None


def test_registering_again_leaves_a_healthy_target_alone(api: Any) -> None:
    group = in_use(api)
    api.register(group, ONE)
    api.store.observe([Observation(target_group_arn=group, target_id=ONE, state=TargetState.HEALTHY)])
    revision = api.store.revision()
    api.register(group, ONE, ONE)
    assert api.health(group) == {ONE: {"State": "healthy"}}
    assert api.store.revision() == revision


def test_deregistering_from_a_group_that_is_not_in_use_needs_no_draining(api: Any) -> None:
    group = api.target_group()
    api.register(group, ONE)
    deregister(api, group, ONE, "i-never-registered")
    assert api.health(group) == {}


def test_registering_is_all_or_none(api: Any) -> None:
    group = in_use(api)
    with pytest.raises(Exception, match="InvalidTarget"):
        api.register(group, ONE, "i-9")
    assert api.health(group) == {}


@pytest.mark.parametrize("target_id", [ONE, "i-0123456789abcdef0", "i-9"], ids=["known", "unknown", "no id at all"])
def test_named_targets_that_are_not_registered_are_told_so(api: Any, target_id: str) -> None:
    group = in_use(api)
    found = api.elbv2("DescribeTargetHealth", TargetGroupArn=group, Targets=[{"Id": target_id}])
    assert found["TargetHealthDescriptions"] == [{
        "Target": {"Id": target_id, "Port": 6081}, "HealthCheckPort": "80",
        "TargetHealth": {
            "State": "unused", "Reason": "Target.NotRegistered",
            "Description": "Target is not registered to the target group",
        },
    }]


def test_an_ip_target_shows_its_zone(api: Any) -> None:
    group = in_use(api, TargetType="ip", HealthCheckPort="traffic-port")
    api.register(group, "10.1.2.12")
    (found,) = api.elbv2("DescribeTargetHealth", TargetGroupArn=group)["TargetHealthDescriptions"]
    assert found["Target"] == {"Id": "10.1.2.12", "Port": 6081, "AvailabilityZone": "us-east-1b"}
    assert found["HealthCheckPort"] == "6081"


def test_a_zone_has_three_hundred_targets_at_most(api: Any) -> None:
    group = in_use(api, TargetType="ip")
    outside = [{"Id": f"192.168.{number // 200}.{number % 200 + 1}", "AvailabilityZone": "all"} for number in range(301)]
    with pytest.raises(Exception, match="TooManyTargets"):
        api.elbv2("RegisterTargets", TargetGroupArn=group, Targets=outside)
    api.elbv2("RegisterTargets", TargetGroupArn=group, Targets=outside[:300])
    assert len(api.health(group)) == 300
