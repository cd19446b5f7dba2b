"""Rows of the state store, turned into `Desired`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from forwarder.control import network_state
from forwarder.control.attribute_table import LISTENER, LOAD_BALANCER, TARGET_GROUP, read_attributes
from forwarder.control.network_state import read_network
from forwarder.control.target_view import shown_health
from forwarder.desired import Desired, HealthCheck, LoadBalancer, Target, TargetGroup

#: GENEVE's port, the only one a gateway's target group can have.
GENEVE_PORT = 6081


def revision(connection: sqlite3.Connection) -> int:
    """The number of changes so far."""
    value: int = connection.execute("SELECT value FROM counters WHERE name = 'revision'").fetchone()[0]
    return value


def read_desired(connection: sqlite3.Connection) -> Desired:
    """Everything, inside the caller's transaction."""
    rows = connection.execute(
        "SELECT lb.*, l.arn AS listener_arn, l.target_group_arn FROM load_balancers lb"
        " LEFT JOIN listeners l ON l.load_balancer_arn = lb.arn ORDER BY lb.created_order"
    ).fetchall()
    return Desired(
        revision=revision(connection),
        load_balancers=tuple(_load_balancer(connection, row) for row in rows),
        network=read_network(connection),
        network_revision=network_state.revision(connection),
    )


def draining_delays(connection: sqlite3.Connection) -> Iterator[tuple[str, int]]:
    """The target groups that have a draining target, each with its deregistration delay in seconds."""
    rows = connection.execute("SELECT DISTINCT target_group_arn FROM targets WHERE deregistered_at_s IS NOT NULL")
    for (arn,) in rows.fetchall():
        yield arn, _deregistration_delay_s(read_attributes(connection, TARGET_GROUP, arn))


def health_check_port(port: str) -> int:
    """The port to probe: `traffic-port` is where GENEVE goes."""
    return GENEVE_PORT if port == "traffic-port" else int(port)


def _load_balancer(connection: sqlite3.Connection, row: sqlite3.Row) -> LoadBalancer:
    subnets = connection.execute(
        "SELECT subnet_id, zone FROM load_balancer_subnets WHERE load_balancer_arn = ? ORDER BY position", (row["arn"],)
    ).fetchall()
    attributes = read_attributes(connection, LOAD_BALANCER, row["arn"])
    listener = read_attributes(connection, LISTENER, row["listener_arn"] or "")
    zones = frozenset(subnet["zone"] for subnet in subnets)
    group_arn = row["target_group_arn"]
    return LoadBalancer(
        arn=row["arn"],
        name=row["name"],
        vpc_id=row["vpc_id"],
        subnet_ids=tuple(subnet["subnet_id"] for subnet in subnets),
        cross_zone=attributes["load_balancing.cross_zone.enabled"] == "true",
        tcp_idle_timeout_s=int(listener["tcp.idle_timeout.seconds"]),
        target_group=None if group_arn is None else _target_group(connection, group_arn, zones),
    )


def _target_group(connection: sqlite3.Connection, arn: str, zones: frozenset[str]) -> TargetGroup:
    row = connection.execute("SELECT * FROM target_groups WHERE arn = ?", (arn,)).fetchone()
    targets = connection.execute(
        "SELECT * FROM targets WHERE target_group_arn = ? ORDER BY registered_order", (arn,)
    ).fetchall()
    attributes = read_attributes(connection, TARGET_GROUP, arn)
    sticky = attributes["stickiness.enabled"] == "true"
    return TargetGroup(
        arn=arn,
        name=row["name"],
        vpc_id=row["vpc_id"],
        health_check=_health_check(row),
        targets=tuple(_target(target, zones) for target in targets),
        stickiness=attributes["stickiness.type"] if sticky else None,
        rebalance=attributes["target_failover.on_unhealthy"] == "rebalance",
        deregistration_delay_s=_deregistration_delay_s(attributes),
    )


def _deregistration_delay_s(attributes: dict[str, str]) -> int:
    return int(attributes["deregistration_delay.timeout_seconds"])


def _health_check(row: sqlite3.Row) -> HealthCheck:
    return HealthCheck(
        protocol=row["protocol"],
        port=health_check_port(row["port"]),
        path=row["path"],
        interval_s=row["interval_s"],
        timeout_s=row["timeout_s"],
        healthy_threshold=row["healthy_threshold"],
        unhealthy_threshold=row["unhealthy_threshold"],
        success_codes=row["success_codes"],
    )


def _target(row: sqlite3.Row, zones: frozenset[str]) -> Target:
    health = shown_health(row, zones)
    return Target(
        id=row["id"],
        address=row["address"],
        zone=row["zone"],
        port=row["port"],
        state=health.state,
        reason=health.reason,
        description=health.description,
        deregistered_at_s=row["deregistered_at_s"],
        instance_id=row["instance_id"],
        interface_id=row["interface_id"],
    )
