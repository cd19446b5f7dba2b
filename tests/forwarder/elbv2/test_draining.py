"""What happens to targets when their group comes into use or goes out of it."""

from __future__ import annotations

from typing import Any

from forwarder.control.store import Observation
from forwarder.desired import TargetState
from forwarder.elbv2.draining import begin_checking, forget_draining

ONE, TWO = "i-0a000000000000001", "i-0a000000000000002"


def test_draining_targets_are_forgotten_and_the_others_stay(api: Any) -> None:
    group = api.target_group()
    api.listener(api.load_balancer(), group)
    api.register(group, ONE, TWO)
    api.elbv2("DeregisterTargets", TargetGroupArn=group, Targets=[{"Id": ONE}])
    with api.store.writing() as connection:
        forget_draining(connection, group)
    assert list(api.health(group)) == [TWO]


def test_a_group_that_comes_into_use_is_checked_anew(api: Any) -> None:
    group = api.target_group()
    api.listener(api.load_balancer(), group)
    api.register(group, ONE)
    api.store.observe([Observation(target_group_arn=group, target_id=ONE, state=TargetState.HEALTHY)])
    with api.store.writing() as connection:
        begin_checking(connection, group)
    assert api.health(group)[ONE]["Reason"] == "Elb.RegistrationInProgress"
