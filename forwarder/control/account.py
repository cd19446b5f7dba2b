"""The account: its limits, and who is asking (elbv2 DescribeAccountLimits, sts GetCallerIdentity)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forwarder.control.context import Context
from forwarder.control.load_balancers import LOAD_BALANCERS_MAX, LOAD_BALANCERS_PER_VPC_MAX
from forwarder.control.target_groups import TARGET_GROUPS_MAX
from forwarder.control.targets import TARGETS_PER_ZONE_MAX


def describe_account_limits(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeAccountLimits: those that concern gateway load balancers, on one page."""
    limits = {
        "gateway-load-balancers": LOAD_BALANCERS_MAX,
        "gateway-load-balancers-per-vpc": LOAD_BALANCERS_PER_VPC_MAX,
        "geneve-target-groups": TARGET_GROUPS_MAX,
        "targets-per-availability-zone-per-gateway-load-balancer": TARGETS_PER_ZONE_MAX,
    }
    return {"Limits": [{"Name": name, "Max": str(limit)} for name, limit in limits.items()]}


def get_caller_identity(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """GetCallerIdentity: the user the access key belongs to."""
    return {
        "UserId": context.caller.access_key_id,
        "Account": context.account_id,
        "Arn": user_arn(context.account_id, context.caller.user_name),
    }


def user_arn(account_id: str, user_name: str) -> str:
    """The ARN of an IAM user."""
    return f"arn:aws:iam::{account_id}:user/{user_name}"
