"""Targets of a group: register, deregister, describe their health."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from forwarder.control.attribute_table import TARGET_GROUP, read_attributes
from forwarder.control.context import Context
from forwarder.control.desired_reading import GENEVE_PORT
from forwarder.control.target_view import shown_health
from forwarder.elbv2.load_balancers import zones_of
from forwarder.elbv2.target_address import Place, check_port, known_instance, place_of, read_address
from forwarder.elbv2.target_groups import target_group_row, using_load_balancer
from forwarder.target_health import DRAINING, NOT_REGISTERED, REGISTERING, TargetStatus, invalid_state
from gatewatch.aws.error import AwsError, invalid

#: Targets a zone of one gateway load balancer can have (`DescribeAccountLimits`; gatewatch holds it per group).
TARGETS_PER_ZONE_MAX: Final = 300


def register_targets(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """RegisterTargets, all or none.  A target that is registered stays as it is, one that drains comes back."""
    group = target_group_row(context.connection, parameters["TargetGroupArn"])
    _check_some(parameters["Targets"])
    places = [
        place_of(context.inventory, group["vpc_id"], group["target_type"], target) for target in parameters["Targets"]
    ]
    _remove_drained(context, group["arn"])
    for place in places:
        _register(context.connection, group["arn"], place)
    _check_quota(context.connection, group["arn"])
    return {}


def deregister_targets(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DeregisterTargets.  What is not registered is deregistered with success."""
    group = target_group_row(context.connection, parameters["TargetGroupArn"])
    _check_some(parameters["Targets"])
    for target in parameters["Targets"]:
        check_port(target)
    ids = [(group["arn"], target["Id"]) for target in parameters["Targets"]]
    if using_load_balancer(context.connection, group["arn"]) is None:
        context.connection.executemany("DELETE FROM targets WHERE target_group_arn = ? AND id = ?", ids)
        return {}
    context.connection.executemany(
        "UPDATE targets SET state = ?, reason = ?, description = ?, deregistered_at_s = ?"
        " WHERE target_group_arn = ? AND id = ? AND deregistered_at_s IS NULL",
        [(DRAINING.state, DRAINING.reason, DRAINING.description, context.now_s, *key) for key in ids],
    )
    return {}


def describe_target_health(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeTargetHealth of the targets named, else of all."""
    group = target_group_row(context.connection, parameters["TargetGroupArn"])
    load_balancer = using_load_balancer(context.connection, group["arn"])
    zones = None if load_balancer is None else zones_of(context.connection, load_balancer)
    rows = _rows(context, group["arn"])
    wanted = parameters.get("Targets")
    if not wanted:
        return {"TargetHealthDescriptions": [
            _shown(group, row["id"], row["zone"], _health(context, row, zones)) for row in rows.values()
        ]}
    return {"TargetHealthDescriptions": [_wanted(context, group, rows, zones, target) for target in wanted]}


def _check_some(targets: Sequence[Mapping[str, Any]]) -> None:
    if not targets:
        raise invalid("At least one target must be specified")


def _register(connection: sqlite3.Connection, group_arn: str, place: Place) -> None:
    connection.execute(
        "INSERT INTO targets (target_group_arn, id, address, zone, port, instance_id, interface_id, state, reason,"
        " description) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (target_group_arn, id) DO UPDATE SET address = excluded.address, zone = excluded.zone,"
        " instance_id = excluded.instance_id, interface_id = excluded.interface_id, state = excluded.state,"
        " reason = excluded.reason, description = excluded.description, deregistered_at_s = NULL"
        " WHERE deregistered_at_s IS NOT NULL",
        (group_arn, place.id, place.address, place.zone, GENEVE_PORT, place.instance_id, place.interface_id,
         REGISTERING.state, REGISTERING.reason, REGISTERING.description),
    )


def _check_quota(connection: sqlite3.Connection, group_arn: str) -> None:
    rows = connection.execute("SELECT zone FROM targets WHERE target_group_arn = ?", (group_arn,))
    zone, count = next(iter(Counter(row["zone"] for row in rows).most_common(1)))
    if count > TARGETS_PER_ZONE_MAX:
        raise AwsError("TooManyTargets", f"The maximum number of targets in zone '{zone}' is {TARGETS_PER_ZONE_MAX}")


def _drained_before_s(context: Context, group_arn: str) -> float:
    attributes = read_attributes(context.connection, TARGET_GROUP, group_arn)
    return context.now_s - int(attributes["deregistration_delay.timeout_seconds"])


def _remove_drained(context: Context, group_arn: str) -> None:
    # The packet process does so too; a caller must not find a target that is gone because that one is down.
    context.connection.execute(
        "DELETE FROM targets WHERE target_group_arn = ? AND deregistered_at_s <= ?",
        (group_arn, _drained_before_s(context, group_arn)),
    )


def _rows(context: Context, group_arn: str) -> dict[str, sqlite3.Row]:
    rows = context.connection.execute(
        "SELECT * FROM targets WHERE target_group_arn = ? AND (deregistered_at_s IS NULL OR deregistered_at_s > ?)"
        " ORDER BY registered_order",
        (group_arn, _drained_before_s(context, group_arn)),
    )
    return {row["id"]: row for row in rows}


def _wanted(
    context: Context, group: sqlite3.Row, rows: Mapping[str, sqlite3.Row], zones: frozenset[str] | None,
    target: Mapping[str, Any],
) -> dict[str, Any]:
    check_port(target)
    row = rows.get(target["Id"])
    if row is not None:
        return _shown(group, row["id"], row["zone"], _health(context, row, zones))
    if group["target_type"] == "ip":
        read_address(target["Id"])
    # An id that nobody knows is one that is not registered: whoever looks for a machine that is gone gets an answer.
    return _shown(group, target["Id"], target.get("AvailabilityZone"), NOT_REGISTERED)


def _health(context: Context, row: sqlite3.Row, zones: frozenset[str] | None) -> TargetStatus:
    instance = known_instance(context.inventory, row["instance_id"])
    if row["deregistered_at_s"] is None and instance is not None and instance.state != "running":
        return invalid_state(instance.state)
    return shown_health(row, zones)


def _shown(group: sqlite3.Row, target_id: str, zone: str | None, health: TargetStatus) -> dict[str, Any]:
    target: dict[str, Any] = {"Id": target_id, "Port": GENEVE_PORT}
    if zone and group["target_type"] == "ip":
        target["AvailabilityZone"] = zone
    health_shown = {"State": str(health.state)}
    if health.reason:
        health_shown |= {"Reason": health.reason, "Description": health.description}
    port = str(GENEVE_PORT) if group["port"] == "traffic-port" else group["port"]
    return {"Target": target, "HealthCheckPort": port, "TargetHealth": health_shown}
