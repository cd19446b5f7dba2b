"""Load balancers: shapes as AWS shows them, idempotence, pages, protection, quota."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest


def test_a_new_load_balancer_has_awss_shape(api: Any) -> None:
    made = api.elbv2(
        "CreateLoadBalancer", Name="gw", Type="gateway",
        SubnetMappings=[{"SubnetId": "subnet-0a000000000000001"}, {"SubnetId": "subnet-0a000000000000002"}],
    )
    assert made == {"LoadBalancers": [{
        "LoadBalancerArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/gwy/gw/0000000000000001",
        "CreatedTime": datetime(2026, 11, 1, 10, 0, tzinfo=UTC),
        "LoadBalancerName": "gw",
        "VpcId": "vpc-0aa11aa11aa11aa11",
        "State": {"Code": "provisioning"},
        "Type": "gateway",
        "AvailabilityZones": [
            {"ZoneName": "us-east-1a", "SubnetId": "subnet-0a000000000000001"},
            {"ZoneName": "us-east-1b", "SubnetId": "subnet-0a000000000000002"},
        ],
        "IpAddressType": "ipv4",
    }]}


def test_the_same_request_again_answers_the_same_load_balancer(api: Any) -> None:
    first = api.load_balancer()
    revision = api.store.revision()
    assert api.load_balancer(subnets=("subnet-0a000000000000002", "subnet-0a000000000000001")) == first
    assert api.store.revision() == revision


def test_other_tags_are_other_settings(api: Any) -> None:
    api.load_balancer()
    with pytest.raises(Exception, match="DuplicateLoadBalancerName"):
        api.elbv2(
            "CreateLoadBalancer", Name="gw", Type="gateway", Tags=[{"Key": "a", "Value": "b"}],
            Subnets=["subnet-0a000000000000001", "subnet-0a000000000000002"],
        )


def test_pages_show_each_load_balancer_once_in_order_of_creation(api: Any) -> None:
    arns = [api.load_balancer(name) for name in ("c", "a", "b", "e", "d")]
    seen: list[str] = []
    more: dict[str, str] = {}
    for _ in range(3):
        page = api.elbv2("DescribeLoadBalancers", PageSize=2, **more)
        seen += [item["LoadBalancerArn"] for item in page["LoadBalancers"]]
        more = {"Marker": page["NextMarker"]} if "NextMarker" in page else {}
    assert (seen, more) == (arns, {})


def test_deleting_takes_the_listener_and_the_tags_along_and_may_be_repeated(api: Any) -> None:
    load_balancer, group = api.load_balancer(), api.target_group()
    listener = api.listener(load_balancer, group)
    api.elbv2("AddTags", ResourceArns=[load_balancer, listener], Tags=[{"Key": "a", "Value": "b"}])
    for _ in range(2):
        assert api.elbv2("DeleteLoadBalancer", LoadBalancerArn=load_balancer) == {}
    with pytest.raises(Exception, match="ListenerNotFound"):
        api.elbv2("DescribeListeners", ListenerArns=[listener])
    with api.store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM tags").fetchone()[0] == 0
    api.elbv2("DeleteTargetGroup", TargetGroupArn=group)
    assert api.store.desired().load_balancers == ()


def test_a_protected_load_balancer_is_not_deleted(api: Any) -> None:
    load_balancer = api.load_balancer()
    protection = {"Key": "deletion_protection.enabled", "Value": "true"}
    api.elbv2("ModifyLoadBalancerAttributes", LoadBalancerArn=load_balancer, Attributes=[protection])
    with pytest.raises(Exception, match="OperationNotPermitted"):
        api.elbv2("DeleteLoadBalancer", LoadBalancerArn=load_balancer)
    api.elbv2(
        "ModifyLoadBalancerAttributes", LoadBalancerArn=load_balancer, Attributes=[{**protection, "Value": "false"}]
    )
    api.elbv2("DeleteLoadBalancer", LoadBalancerArn=load_balancer)


def test_there_is_a_quota(api: Any) -> None:
    for number in range(100):
        api.load_balancer(f"gw-{number}")
    with pytest.raises(Exception, match="TooManyLoadBalancers"):
        api.load_balancer("gw-100")
