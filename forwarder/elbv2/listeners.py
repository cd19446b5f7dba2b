"""Listeners of gateway load balancers: one each, for every port and protocol, forwarding to one target group."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from forwarder.control.context import Context
from forwarder.elbv2 import paging
from forwarder.elbv2.draining import begin_checking, forget_draining
from forwarder.elbv2.load_balancers import load_balancer_row
from forwarder.elbv2.names import check_arn
from forwarder.elbv2.tags import forget_resource, write_new_tags
from forwarder.elbv2.target_groups import target_group_row
from gatewatch.aws.arn import listener_arn
from gatewatch.aws.error import AwsError, invalid


def create_listener(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """CreateListener; packets flow once it exists.  The same request again answers the same listener."""
    load_balancer = load_balancer_row(context.connection, parameters["LoadBalancerArn"])
    _check_no_port(parameters)
    group_arn = _forwarded_to(parameters["DefaultActions"])
    group = target_group_row(context.connection, group_arn)
    existing = _rows_of(context.connection, load_balancer["arn"])
    if existing:
        if existing[0]["target_group_arn"] == group_arn:
            return {"Listeners": [_shown(existing[0])]}
        # Which of TooManyListeners and DuplicateListener AWS answers is not documented: docs/decisions/0042.
        raise AwsError("TooManyListeners", f"Load balancer '{load_balancer['arn']}' can have 1 listener and has it")
    _check_usable(context.connection, load_balancer, group)
    arn = listener_arn(load_balancer["arn"], context.number())
    context.connection.execute(
        "INSERT INTO listeners (arn, load_balancer_arn, target_group_arn) VALUES (?, ?, ?)",
        (arn, load_balancer["arn"], group_arn),
    )
    begin_checking(context.connection, group_arn)
    write_new_tags(context.connection, arn, parameters.get("Tags", ()))
    return {"Listeners": [_shown(listener_row(context.connection, arn))]}


def describe_listeners(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeListeners of a load balancer, or those named by ARN."""
    load_balancer, arns = parameters.get("LoadBalancerArn"), parameters.get("ListenerArns")
    if load_balancer and arns:
        raise invalid("A load balancer ARN and listener ARNs cannot both be specified")
    if arns:
        return {"Listeners": [_shown(listener_row(context.connection, arn)) for arn in dict.fromkeys(arns)]}
    if not load_balancer:
        raise invalid("A load balancer ARN or listener ARNs must be specified")
    first = paging.first_order(parameters)
    rows = _rows_of(context.connection, load_balancer_row(context.connection, load_balancer)["arn"])
    return {"Listeners": [_shown(row) for row in rows if row["created_order"] > first]}


def modify_listener(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """ModifyListener: another target group."""
    listener = listener_row(context.connection, parameters["ListenerArn"])
    _check_no_port(parameters)
    if not parameters.get("DefaultActions"):
        return {"Listeners": [_shown(listener)]}
    group_arn = _forwarded_to(parameters["DefaultActions"])
    group = target_group_row(context.connection, group_arn)
    if group_arn != listener["target_group_arn"]:
        _check_usable(context.connection, load_balancer_row(context.connection, listener["load_balancer_arn"]), group)
        context.connection.execute(
            "UPDATE listeners SET target_group_arn = ? WHERE arn = ?", (group_arn, listener["arn"])
        )
        forget_draining(context.connection, listener["target_group_arn"])
        begin_checking(context.connection, group_arn)
    return {"Listeners": [_shown(listener_row(context.connection, listener["arn"]))]}


def delete_listener(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DeleteListener: nothing is forwarded any more."""
    listener = listener_row(context.connection, parameters["ListenerArn"])
    context.connection.execute("DELETE FROM listeners WHERE arn = ?", (listener["arn"],))
    forget_resource(context.connection, listener["arn"])
    forget_draining(context.connection, listener["target_group_arn"])
    return {}


def listener_row(connection: sqlite3.Connection, arn: str) -> sqlite3.Row:
    """The listener with that ARN; `ListenerNotFound` if there is none."""
    check_arn("listener", arn)
    row: sqlite3.Row | None = connection.execute("SELECT * FROM listeners WHERE arn = ?", (arn,)).fetchone()
    if row is None:
        raise AwsError("ListenerNotFound", f"Listener '{arn}' not found")
    return row


def _rows_of(connection: sqlite3.Connection, load_balancer_arn: str) -> list[sqlite3.Row]:
    return connection.execute("SELECT * FROM listeners WHERE load_balancer_arn = ?", (load_balancer_arn,)).fetchall()


def _check_no_port(parameters: Mapping[str, Any]) -> None:
    if "Port" in parameters:
        raise invalid("A port cannot be specified for gateway listeners")
    if "Protocol" in parameters:
        raise invalid("A protocol cannot be specified for gateway listeners")


def _forwarded_to(actions: Sequence[Mapping[str, Any]]) -> str:
    if not actions:
        raise invalid("A default action must be specified")
    if len(actions) > 1:
        raise AwsError("TooManyActions", "The maximum number of actions of a gateway listener is 1")
    action = actions[0]
    if action["Type"] != "forward":
        raise AwsError("InvalidLoadBalancerAction", f"The action '{action['Type']}' is not valid for gateway listeners")
    if action.keys() - {"Type", "TargetGroupArn", "ForwardConfig", "Order"}:
        raise AwsError("InvalidLoadBalancerAction", "A forward action has a target group and nothing else")
    arns = {action["TargetGroupArn"]} if action.get("TargetGroupArn") else set()
    arns |= _configured(action.get("ForwardConfig", {}))
    if not arns:
        raise invalid("A target group ARN must be specified")
    if len(arns) > 1:
        raise AwsError("InvalidLoadBalancerAction", "A gateway listener forwards to exactly one target group")
    return str(arns.pop())


def _configured(config: Mapping[str, Any]) -> set[str]:
    if config.keys() - {"TargetGroups"}:
        raise AwsError("InvalidLoadBalancerAction", "Stickiness on a gateway listener is its target group's attribute")
    return {group["TargetGroupArn"] for group in config.get("TargetGroups", ()) if group.get("TargetGroupArn")}


def _check_usable(connection: sqlite3.Connection, load_balancer: sqlite3.Row, group: sqlite3.Row) -> None:
    if group["vpc_id"] != load_balancer["vpc_id"]:
        raise AwsError(
            "InvalidConfigurationRequest",
            f"The target group is in VPC '{group['vpc_id']}', the load balancer in '{load_balancer['vpc_id']}'",
        )
    used = connection.execute("SELECT 1 FROM listeners WHERE target_group_arn = ?", (group["arn"],)).fetchone()
    if used is not None:
        raise AwsError(
            "TargetGroupAssociationLimit",
            f"The following target groups cannot be associated with more than one load balancer: {group['arn']}",
        )


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    # A gateway listener shows no Port and no Protocol.
    arn = row["target_group_arn"]
    return {
        "ListenerArn": row["arn"],
        "LoadBalancerArn": row["load_balancer_arn"],
        "DefaultActions": [
            {"Type": "forward", "TargetGroupArn": arn, "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": arn}]}}
        ],
    }
