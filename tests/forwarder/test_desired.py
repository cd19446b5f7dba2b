"""The names CloudWatch knows a load balancer and a target group by."""

from __future__ import annotations

from forwarder.desired import LoadBalancer, TargetGroup

PREFIX = "arn:aws:elasticloadbalancing:us-east-1:123456789012:"


def test_dimensions_are_the_ends_of_the_arns() -> None:
    group = TargetGroup(arn=f"{PREFIX}targetgroup/fw/00c3d57eacd6f40b6f", name="fw", vpc_id="vpc-1")
    balancer = LoadBalancer(
        arn=f"{PREFIX}loadbalancer/gwy/gw1/0123456789abcdef", name="gw1", vpc_id="vpc-1", subnet_ids=(), target_group=group
    )
    assert group.dimension == "targetgroup/fw/00c3d57eacd6f40b6f"
    assert balancer.dimension == "gwy/gw1/0123456789abcdef"
