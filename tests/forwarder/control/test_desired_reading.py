"""Rows become values."""

from __future__ import annotations

from typing import Any

from forwarder.control.desired_reading import draining_delays, health_check_port, revision


def test_the_whole_of_it(api: Any) -> None:
    load_balancer, group = api.load_balancer(), api.target_group()
    api.load_balancer("second", subnets=("subnet-0a000000000000002",))
    api.register(group, "i-0a000000000000001", "i-0a000000000000002")
    api.listener(load_balancer, group)
    desired = api.store.desired()
    first, second = desired.load_balancers
    assert desired.revision == api.store.revision() == 5
    assert (first.arn, first.name, first.dimension) == (load_balancer, "gw", "gwy/gw/0000000000000001")
    assert first.subnet_ids == ("subnet-0a000000000000001", "subnet-0a000000000000002")
    assert (first.cross_zone, first.tcp_idle_timeout_s) == (False, 350)
    assert (second.name, second.target_group) == ("second", None)
    assert first.target_group.dimension == "targetgroup/targets/000000000000000002"
    assert (first.target_group.stickiness, first.target_group.rebalance) == (None, False)
    assert [(target.id, target.address, target.zone, target.port) for target in first.target_group.targets] == [
        ("i-0a000000000000001", "10.1.1.11", "us-east-1a", 6081),
        ("i-0a000000000000002", "10.1.2.12", "us-east-1b", 6081),
    ]
    assert first.target_group.targets[0].interface_id == "eni-0a000000000000001"


def test_the_port_to_probe() -> None:
    assert (health_check_port("traffic-port"), health_check_port("8080")) == (6081, 8080)


def test_delays_are_told_of_groups_that_drain(api: Any) -> None:
    group = api.target_group()
    api.listener(api.load_balancer(), group)
    api.register(group, "i-0a000000000000001")
    with api.store.reading() as connection:
        assert list(draining_delays(connection)) == []
        assert revision(connection) == 4
    api.elbv2("DeregisterTargets", TargetGroupArn=group, Targets=[{"Id": "i-0a000000000000001"}])
    with api.store.reading() as connection:
        assert list(draining_delays(connection)) == [(group, 300)]
