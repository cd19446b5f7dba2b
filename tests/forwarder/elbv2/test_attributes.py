"""Attributes: all are answered, what is set is kept, and the packet process reads what they mean."""

from __future__ import annotations

from typing import Any


def values(answer: dict[str, Any]) -> dict[str, str]:
    return {item["Key"]: item["Value"] for item in answer["Attributes"]}


def pairs(**given: str) -> list[dict[str, str]]:
    return [{"Key": key.replace("__", "."), "Value": value} for key, value in given.items()]


def test_defaults_are_awss(api: Any) -> None:
    load_balancer, group = api.load_balancer(), api.target_group()
    listener = api.listener(load_balancer, group)
    assert values(api.elbv2("DescribeLoadBalancerAttributes", LoadBalancerArn=load_balancer)) == {
        "deletion_protection.enabled": "false", "load_balancing.cross_zone.enabled": "false",
    }
    assert values(api.elbv2("DescribeTargetGroupAttributes", TargetGroupArn=group)) == {
        "deregistration_delay.timeout_seconds": "300",
        "stickiness.enabled": "false",
        "stickiness.type": "source_ip_dest_ip_proto",
        "target_failover.on_deregistration": "no_rebalance",
        "target_failover.on_unhealthy": "no_rebalance",
        "send_tcp_reset.on_unhealthy.enabled": "false",
        "send_tcp_reset.on_deregistration.enabled": "false",
    }
    assert values(api.elbv2("DescribeListenerAttributes", ListenerArn=listener)) == {
        "tcp.idle_timeout.seconds": "350", "send_tcp_reset.on_idle_timeout.enabled": "false",
    }


def test_what_is_set_reaches_the_packet_process(api: Any) -> None:
    load_balancer, group = api.load_balancer(), api.target_group()
    listener = api.listener(load_balancer, group)
    api.elbv2(
        "ModifyLoadBalancerAttributes", LoadBalancerArn=load_balancer,
        Attributes=pairs(load_balancing__cross_zone__enabled="true"),
    )
    api.elbv2("ModifyTargetGroupAttributes", TargetGroupArn=group, Attributes=pairs(
        stickiness__enabled="true", stickiness__type="source_ip_dest_ip",
        target_failover__on_deregistration="rebalance", target_failover__on_unhealthy="rebalance",
        deregistration_delay__timeout_seconds="0",
    ))
    changed = api.elbv2(
        "ModifyListenerAttributes", ListenerArn=listener, Attributes=pairs(tcp__idle_timeout__seconds="6000")
    )
    assert values(changed)["tcp.idle_timeout.seconds"] == "6000"
    (found,) = api.store.desired().load_balancers
    assert (found.cross_zone, found.tcp_idle_timeout_s) == (True, 6000)
    assert (found.target_group.stickiness, found.target_group.rebalance) == ("source_ip_dest_ip", True)
    assert found.target_group.deregistration_delay_s == 0


def test_setting_what_is_set_is_no_change(api: Any) -> None:
    group = api.target_group()
    revision = api.store.revision()
    api.elbv2("ModifyTargetGroupAttributes", TargetGroupArn=group, Attributes=pairs(stickiness__enabled="false"))
    assert api.store.revision() == revision


def test_a_delay_that_is_shortened_holds_for_targets_that_drain_already(api: Any) -> None:
    group = api.target_group()
    api.listener(api.load_balancer(), group)
    api.register(group, "i-0a000000000000001")
    api.elbv2("DeregisterTargets", TargetGroupArn=group, Targets=[{"Id": "i-0a000000000000001"}])
    api.elbv2(
        "ModifyTargetGroupAttributes", TargetGroupArn=group, Attributes=pairs(deregistration_delay__timeout_seconds="10")
    )
    api.store.drop_drained(api.now_s + 10)
    assert api.store.desired().load_balancers[0].target_group.targets == ()
