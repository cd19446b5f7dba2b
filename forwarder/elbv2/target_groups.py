"""GENEVE target groups: create, describe, modify, delete."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from forwarder.control.context import Context
from forwarder.control.desired_reading import GENEVE_PORT
from forwarder.elbv2 import health_check, paging
from forwarder.elbv2.load_balancers import load_balancer_row
from forwarder.elbv2.names import check_arn, check_name
from forwarder.elbv2.tags import forget_resource, read_tags, write_new_tags
from gatewatch.aws.arn import target_group_arn
from gatewatch.aws.error import AwsError, invalid

#: Quota per Region (`DescribeAccountLimits`).
TARGET_GROUPS_MAX: Final = 100

_COLUMNS: Final = tuple(field.name for field in dataclasses.fields(health_check.Settings))


def create_target_group(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """CreateTargetGroup.  The same request again answers the same target group."""
    name = parameters["Name"]
    check_name("Target group", name)
    _check_kind(context, parameters)
    check = health_check.settings(parameters, health_check.Settings())
    row = _by_name(context.connection, name)
    if row is not None:
        _check_same(context.connection, row, check, parameters)
        return {"TargetGroups": [_shown(context.connection, row)]}
    count = context.connection.execute("SELECT count(*) FROM target_groups").fetchone()[0]
    if count >= TARGET_GROUPS_MAX:
        raise AwsError("TooManyTargetGroups", "The maximum number of target groups has been reached")
    arn = target_group_arn(context.region, context.account_id, name, context.number())
    _insert(context.connection, arn, parameters, check)
    write_new_tags(context.connection, arn, parameters.get("Tags", ()))
    return {"TargetGroups": [_shown(context.connection, target_group_row(context.connection, arn))]}


def describe_target_groups(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeTargetGroups: those of a load balancer, those named by ARN or name, else all, page by page."""
    filters = [name for name in ("LoadBalancerArn", "TargetGroupArns", "Names") if parameters.get(name)]
    if len(filters) > 1:
        raise invalid(f"Only one of {' and '.join(filters)} can be specified")
    rows, more = _described(context.connection, parameters)
    return {"TargetGroups": [_shown(context.connection, row) for row in rows], **more}


def modify_target_group(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """ModifyTargetGroup: its health check, nothing else."""
    row = target_group_row(context.connection, parameters["TargetGroupArn"])
    before = _settings(row)
    check = health_check.settings(parameters, before)
    assignments = ", ".join(f"{column} = ?" for column in _COLUMNS)
    if check != before:
        context.connection.execute(
            f"UPDATE target_groups SET {assignments} WHERE arn = ?", (*dataclasses.astuple(check), row["arn"])
        )
    return {"TargetGroups": [_shown(context.connection, target_group_row(context.connection, row["arn"]))]}


def delete_target_group(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DeleteTargetGroup, with its registrations.  One that is gone already is deleted with success."""
    arn = parameters["TargetGroupArn"]
    check_arn("target group", arn)
    if using_load_balancer(context.connection, arn) is not None:
        raise AwsError("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
    context.connection.execute("DELETE FROM target_groups WHERE arn = ?", (arn,))
    forget_resource(context.connection, arn)
    return {}


def target_group_row(connection: sqlite3.Connection, arn: str) -> sqlite3.Row:
    """The target group with that ARN; `TargetGroupNotFound` if there is none."""
    check_arn("target group", arn)
    row: sqlite3.Row | None = connection.execute("SELECT * FROM target_groups WHERE arn = ?", (arn,)).fetchone()
    if row is None:
        raise AwsError("TargetGroupNotFound", f"Target groups '{arn}' not found")
    return row


def using_load_balancer(connection: sqlite3.Connection, arn: str) -> str | None:
    """The ARN of the load balancer whose listener forwards to a target group."""
    row = connection.execute("SELECT load_balancer_arn FROM listeners WHERE target_group_arn = ?", (arn,)).fetchone()
    return None if row is None else str(row[0])


def _check_kind(context: Context, parameters: Mapping[str, Any]) -> None:
    target_type = parameters.get("TargetType", "instance")
    if target_type not in ("instance", "ip"):
        raise invalid(f"Target type '{target_type}' is not supported with the GENEVE protocol")
    if "Protocol" not in parameters:
        raise invalid("A protocol must be specified")
    if parameters["Protocol"] != "GENEVE":
        raise invalid(
            f"The protocol '{parameters['Protocol']}' is not served; gatewatch has GENEVE target groups only"
        )
    if "Port" not in parameters:
        raise invalid("A port must be specified")
    if parameters["Port"] != GENEVE_PORT:
        raise invalid(f"Port '{parameters['Port']}' must be {GENEVE_PORT} for the GENEVE protocol")
    if not parameters.get("VpcId"):
        raise invalid("A VPC ID must be specified")
    if context.inventory.vpc(parameters["VpcId"]) is None:
        raise invalid(f"The VPC ID '{parameters['VpcId']}' is not found")
    if parameters.get("IpAddressType", "ipv4") != "ipv4":
        raise invalid("The IP address type 'ipv6' is not supported with the GENEVE protocol")


def _check_same(
    connection: sqlite3.Connection, row: sqlite3.Row, check: health_check.Settings, parameters: Mapping[str, Any]
) -> None:
    given_tags = {tag["Key"]: tag.get("Value", "") for tag in parameters.get("Tags", ())}
    same = (
        row["vpc_id"] == parameters["VpcId"]
        and row["target_type"] == parameters.get("TargetType", "instance")
        and _settings(row) == check
        and (not given_tags or given_tags == read_tags(connection, row["arn"]))
    )
    if not same:
        raise AwsError(
            "DuplicateTargetGroupName",
            f"A target group with the same name '{row['name']}' exists, but with different settings",
        )


def _insert(
    connection: sqlite3.Connection, arn: str, parameters: Mapping[str, Any], check: health_check.Settings
) -> None:
    columns = ("arn", "name", "vpc_id", "target_type", *_COLUMNS)
    target_type = parameters.get("TargetType", "instance")
    values = (arn, parameters["Name"], parameters["VpcId"], target_type, *dataclasses.astuple(check))
    marks = ", ".join("?" * len(columns))
    connection.execute(f"INSERT INTO target_groups ({', '.join(columns)}) VALUES ({marks})", values)


def _described(
    connection: sqlite3.Connection, parameters: Mapping[str, Any]
) -> tuple[list[sqlite3.Row], dict[str, str]]:
    if parameters.get("TargetGroupArns"):
        return [target_group_row(connection, arn) for arn in dict.fromkeys(parameters["TargetGroupArns"])], {}
    if parameters.get("Names"):
        return _rows_by_name(connection, list(dict.fromkeys(parameters["Names"]))), {}
    if parameters.get("LoadBalancerArn"):
        load_balancer = load_balancer_row(connection, parameters["LoadBalancerArn"])["arn"]
        return connection.execute(
            "SELECT g.* FROM target_groups g JOIN listeners l ON l.target_group_arn = g.arn"
            " WHERE l.load_balancer_arn = ?",
            (load_balancer,),
        ).fetchall(), {}
    found = connection.execute(
        "SELECT * FROM target_groups WHERE created_order > ? ORDER BY created_order LIMIT ?",
        (paging.first_order(parameters), paging.page_size(parameters) + 1),
    ).fetchall()
    shown, more = paging.page(found, parameters)
    return list(shown), more


def _by_name(connection: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM target_groups WHERE name = ?", (name,)).fetchone()
    return row


def _rows_by_name(connection: sqlite3.Connection, names: list[str]) -> list[sqlite3.Row]:
    rows = {name: _by_name(connection, name) for name in names}
    if None in rows.values():
        raise AwsError("TargetGroupNotFound", "One or more target groups not found")
    return [row for row in rows.values() if row is not None]


def _settings(row: sqlite3.Row) -> health_check.Settings:
    return health_check.Settings(**{column: row[column] for column in _COLUMNS})


def _shown(connection: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    load_balancer = using_load_balancer(connection, row["arn"])
    return {
        "TargetGroupArn": row["arn"],
        "TargetGroupName": row["name"],
        "Protocol": "GENEVE",
        "Port": GENEVE_PORT,
        "VpcId": row["vpc_id"],
        "LoadBalancerArns": [load_balancer] if load_balancer else [],
        "TargetType": row["target_type"],
        **health_check.shown(_settings(row)),
    }
