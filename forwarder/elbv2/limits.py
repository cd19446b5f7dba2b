"""The account's limits (DescribeAccountLimits)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forwarder.control.context import Context
from forwarder.elbv2.load_balancers import LOAD_BALANCERS_MAX, LOAD_BALANCERS_PER_VPC_MAX
from forwarder.elbv2.target_groups import TARGET_GROUPS_MAX
from forwarder.elbv2.targets import TARGETS_PER_ZONE_MAX


def describe_account_limits(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeAccountLimits: those that concern gateway load balancers, on one page."""
    limits = {
        "gateway-load-balancers": LOAD_BALANCERS_MAX,
        "gateway-load-balancers-per-vpc": LOAD_BALANCERS_PER_VPC_MAX,
        "geneve-target-groups": TARGET_GROUPS_MAX,
        "targets-per-availability-zone-per-gateway-load-balancer": TARGETS_PER_ZONE_MAX,
    }
    return {"Limits": [{"Name": name, "Max": str(limit)} for name, limit in limits.items()]}
