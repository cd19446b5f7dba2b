"""Who is asking: what sts serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from forwarder.control.context import Context
from forwarder.control.operation import operation


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


OPERATIONS: Final = {"GetCallerIdentity": operation(get_caller_identity)}
