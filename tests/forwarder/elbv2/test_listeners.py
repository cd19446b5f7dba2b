"""Listeners: shape, idempotence, what begins and ends with them."""

from __future__ import annotations

from typing import Any

import pytest

from forwarder.control.store import Observation
from forwarder.desired import TargetState

ONE = "i-0a000000000000001"


def test_a_new_listener_has_awss_shape_and_starts_traffic(api: Any) -> None:
    load_balancer, group = api.load_balancer(), api.target_group()
    assert api.store.desired().load_balancers[0].target_group is None
    made = api.elbv2(
        "CreateListener", LoadBalancerArn=load_balancer,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    assert made == {"Listeners": [{
        "ListenerArn": load_balancer.replace(":loadbalancer/", ":listener/") + "/0000000000000003",
        "LoadBalancerArn": load_balancer,
        "DefaultActions": [{
            "Type": "forward", "TargetGroupArn": group, "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": group}]},
        }],
    }]}
    assert api.store.desired().load_balancers[0].target_group.arn == group


def test_the_same_request_again_answers_the_same_listener(api: Any) -> None:
    load_balancer, group = api.load_balancer(), api.target_group()
    first = api.listener(load_balancer, group)
    by_config = {"Type": "forward", "Order": 1, "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": group, "Weight": 1}]}}
    again = api.elbv2("CreateListener", LoadBalancerArn=load_balancer, DefaultActions=[by_config])
    assert again["Listeners"][0]["ListenerArn"] == first


def test_describing_by_load_balancer_and_by_arn(api: Any) -> None:
    load_balancer, group = api.load_balancer(), api.target_group()
    assert api.elbv2("DescribeListeners", LoadBalancerArn=load_balancer)["Listeners"] == []
    listener = api.listener(load_balancer, group)
    by_load_balancer = api.elbv2("DescribeListeners", LoadBalancerArn=load_balancer)
    assert by_load_balancer == api.elbv2("DescribeListeners", ListenerArns=[listener])
    assert by_load_balancer["Listeners"][0]["ListenerArn"] == listener


def test_modifying_changes_the_target_group_and_forgets_what_was_observed(api: Any) -> None:
    load_balancer, old, new = api.load_balancer(), api.target_group("old"), api.target_group("new")
    listener = api.listener(load_balancer, old)
    api.register(old, ONE)
    api.register(new, ONE)
    api.store.observe([Observation(target_group_arn=old, target_id=ONE, state=TargetState.HEALTHY)])
    api.elbv2("DeregisterTargets", TargetGroupArn=old, Targets=[{"Id": ONE}])
    api.elbv2("ModifyListener", ListenerArn=listener, DefaultActions=[{"Type": "forward", "TargetGroupArn": new}])
    assert api.health(old) == {}, "nothing is left to drain"
    assert api.health(new)[ONE]["State"] == "initial"
    assert api.store.desired().load_balancers[0].target_group.arn == new


def test_modifying_nothing_answers_the_listener(api: Any) -> None:
    listener = api.listener(api.load_balancer(), api.target_group())
    assert api.elbv2("ModifyListener", ListenerArn=listener)["Listeners"][0]["ListenerArn"] == listener


def test_deleting_ends_traffic(api: Any) -> None:
    load_balancer, group = api.load_balancer(), api.target_group()
    listener = api.listener(load_balancer, group)
    api.register(group, ONE)
    api.elbv2("DeleteListener", ListenerArn=listener)
    assert api.store.desired().load_balancers[0].target_group is None
    assert api.health(group)[ONE]["Reason"] == "Target.NotInUse"
    with pytest.raises(Exception, match="ListenerNotFound"):
        api.elbv2("DeleteListener", ListenerArn=listener)
