"""Limits and identity."""

from __future__ import annotations

from typing import Any

from forwarder.control.account import user_arn


def test_the_limits_are_those_that_concern_gateways(api: Any) -> None:
    limits = {item["Name"]: item["Max"] for item in api.elbv2("DescribeAccountLimits")["Limits"]}
    assert limits == {
        "gateway-load-balancers": "100",
        "gateway-load-balancers-per-vpc": "100",
        "geneve-target-groups": "100",
        "targets-per-availability-zone-per-gateway-load-balancer": "300",
    }


def test_the_caller_is_the_user_of_the_access_key(api: Any) -> None:
    assert api.call("sts", "GetCallerIdentity") == {
        "UserId": "AKIDTEST", "Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/AKIDTEST",
    }
    assert user_arn("1", "alice") == "arn:aws:iam::1:user/alice"
