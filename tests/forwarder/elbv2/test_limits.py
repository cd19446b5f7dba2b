"""Limits."""

from __future__ import annotations

from typing import Any


def test_the_limits_are_those_that_concern_gateways(api: Any) -> None:
    limits = {item["Name"]: item["Max"] for item in api.elbv2("DescribeAccountLimits")["Limits"]}
    assert limits == {
        "gateway-load-balancers": "100",
        "gateway-load-balancers-per-vpc": "100",
        "geneve-target-groups": "100",
        "targets-per-availability-zone-per-gateway-load-balancer": "300",
    }
