"""Gateway load balancers: create, describe, delete."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from forwarder.control.attribute_table import LOAD_BALANCER, read_attributes
from forwarder.control.context import Context
from forwarder.elbv2 import paging
from forwarder.elbv2.draining import forget_draining
from forwarder.elbv2.interfaces import make_interfaces, remove_interfaces
from forwarder.elbv2.names import check_arn, check_name
from forwarder.elbv2.subnets import wanted_subnets
from forwarder.elbv2.tags import forget_resource, read_tags, write_new_tags
from forwarder.inventory import Subnet
from gatewatch.aws.arn import load_balancer_arn
from gatewatch.aws.error import AwsError, invalid

#: Quotas per Region and per VPC (`DescribeAccountLimits`).
LOAD_BALANCERS_MAX: Final = 100
LOAD_BALANCERS_PER_VPC_MAX: Final = 100
DESCRIBED_ARNS_MAX: Final = 20


def create_load_balancer(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """CreateLoadBalancer.  The same request again answers the same load balancer."""
    name = parameters["Name"]
    check_name("Load balancer", name)
    _check_kind(parameters)
    subnets = wanted_subnets(context.inventory, parameters)
    row = _by_name(context.connection, name)
    if row is not None:
        _check_same(context, row, subnets, parameters)
        return {"LoadBalancers": [_shown(context.connection, row)]}
    _check_quota(context.connection, subnets[0].vpc_id)
    make_interfaces(context, subnets)
    _insert(context, name, subnets)
    row = _by_name(context.connection, name)
    assert row is not None
    write_new_tags(context.connection, row["arn"], parameters.get("Tags", ()))
    return {"LoadBalancers": [_shown(context.connection, row)]}


def describe_load_balancers(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeLoadBalancers: those named by ARN or name, else all, page by page."""
    arns, names = parameters.get("LoadBalancerArns"), parameters.get("Names")
    if arns and names:
        raise invalid("Load balancer ARNs and names cannot both be specified")
    if len(arns or names or ()) > DESCRIBED_ARNS_MAX:
        raise invalid(f"No more than {DESCRIBED_ARNS_MAX} load balancers can be described at once")
    if arns or names:
        rows = [load_balancer_row(context.connection, arn) for arn in dict.fromkeys(arns or ())]
        rows += _rows_by_name(context.connection, list(dict.fromkeys(names or ())))
        return {"LoadBalancers": [_shown(context.connection, row) for row in rows]}
    found = context.connection.execute(
        "SELECT * FROM load_balancers WHERE created_order > ? ORDER BY created_order LIMIT ?",
        (paging.first_order(parameters), paging.page_size(parameters) + 1),
    ).fetchall()
    shown, more = paging.page(found, parameters)
    return {"LoadBalancers": [_shown(context.connection, row) for row in shown], **more}


def delete_load_balancer(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DeleteLoadBalancer, with its listener.  One that is gone already is deleted with success."""
    arn = parameters["LoadBalancerArn"]
    check_arn("load balancer", arn)
    attributes = read_attributes(context.connection, LOAD_BALANCER, arn)
    if attributes["deletion_protection.enabled"] == "true":
        raise AwsError(
            "OperationNotPermitted", f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        )
    users = [service.id for service in context.inventory.endpoint_services if arn in service.load_balancer_arns]
    if users:
        raise AwsError("ResourceInUse", f"Load balancer '{arn}' is currently associated with another service: {', '.join(users)}")
    listeners = context.connection.execute(
        "SELECT arn, target_group_arn FROM listeners WHERE load_balancer_arn = ?", (arn,)
    ).fetchall()
    context.connection.execute("DELETE FROM load_balancers WHERE arn = ?", (arn,))
    remove_interfaces(context)
    forget_resource(context.connection, arn)
    for listener in listeners:
        forget_resource(context.connection, listener["arn"])
        forget_draining(context.connection, listener["target_group_arn"])
    return {}


def load_balancer_row(connection: sqlite3.Connection, arn: str) -> sqlite3.Row:
    """The load balancer with that ARN; `LoadBalancerNotFound` if there is none."""
    check_arn("load balancer", arn)
    row: sqlite3.Row | None = connection.execute("SELECT * FROM load_balancers WHERE arn = ?", (arn,)).fetchone()
    if row is None:
        raise AwsError("LoadBalancerNotFound", f"Load balancer '{arn}' not found")
    return row


def zones_of(connection: sqlite3.Connection, arn: str) -> frozenset[str]:
    """The names of the zones a load balancer has a subnet in."""
    return frozenset(subnet["zone"] for subnet in _subnet_rows(connection, arn))


def _check_kind(parameters: Mapping[str, Any]) -> None:
    kind = parameters.get("Type", "application")
    if kind != "gateway":
        raise invalid(f"The load balancer type '{kind}' is not served; gatewatch has type 'gateway' only")
    if parameters.get("SecurityGroups"):
        raise AwsError(
            "InvalidConfigurationRequest", "Security groups are not supported for load balancers with type 'gateway'"
        )
    if parameters.get("Scheme"):
        raise invalid("Scheme is not supported for load balancers with type 'gateway'")
    if parameters.get("IpAddressType", "ipv4") != "ipv4":
        raise invalid(
            f"The IP address type '{parameters['IpAddressType']}' is not served; gatewatch has 'ipv4' only"
        )


def _check_same(context: Context, row: sqlite3.Row, subnets: list[Subnet], parameters: Mapping[str, Any]) -> None:
    has = sorted(subnet["subnet_id"] for subnet in _subnet_rows(context.connection, row["arn"]))
    given_tags = {tag["Key"]: tag.get("Value", "") for tag in parameters.get("Tags", ())}
    same_tags = not given_tags or given_tags == read_tags(context.connection, row["arn"])
    if has != sorted(subnet.id for subnet in subnets) or not same_tags:
        raise AwsError(
            "DuplicateLoadBalancerName",
            f"A load balancer with the same name '{row['name']}' exists, but with different settings",
        )


def _check_quota(connection: sqlite3.Connection, vpc_id: str) -> None:
    total, here = connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE vpc_id = ?) FROM load_balancers", (vpc_id,)
    ).fetchone()
    if total >= LOAD_BALANCERS_MAX or here >= LOAD_BALANCERS_PER_VPC_MAX:
        raise AwsError("TooManyLoadBalancers", "The maximum number of load balancers has been reached")


def _insert(context: Context, name: str, subnets: list[Subnet]) -> None:
    arn = load_balancer_arn(context.region, context.account_id, name, context.number())
    context.connection.execute(
        "INSERT INTO load_balancers (arn, name, created_ms, vpc_id, ip_address_type, state)"
        " VALUES (?, ?, ?, ?, 'ipv4', 'provisioning')",
        (arn, name, int(context.now_s * 1000), subnets[0].vpc_id),
    )
    context.connection.executemany(
        "INSERT INTO load_balancer_subnets VALUES (?, ?, ?, ?)",
        [(arn, position, subnet.id, subnet.zone) for position, subnet in enumerate(subnets)],
    )


def _by_name(connection: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM load_balancers WHERE name = ?", (name,)).fetchone()
    return row


def _rows_by_name(connection: sqlite3.Connection, names: list[str]) -> list[sqlite3.Row]:
    rows = {name: _by_name(connection, name) for name in names}
    missing = [name for name, row in rows.items() if row is None]
    if missing:
        raise AwsError("LoadBalancerNotFound", f"Load balancers '[{', '.join(missing)}]' not found")
    return [row for row in rows.values() if row is not None]


def _subnet_rows(connection: sqlite3.Connection, arn: str) -> list[sqlite3.Row]:
    return connection.execute(
        "SELECT subnet_id, zone FROM load_balancer_subnets WHERE load_balancer_arn = ? ORDER BY position", (arn,)
    ).fetchall()


def _shown(connection: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    subnets = _subnet_rows(connection, row["arn"])
    # A gateway load balancer shows no DNSName, CanonicalHostedZoneId, Scheme or SecurityGroups.
    return {
        "LoadBalancerArn": row["arn"],
        "CreatedTime": datetime.fromtimestamp(row["created_ms"] / 1000, UTC),
        "LoadBalancerName": row["name"],
        "VpcId": row["vpc_id"],
        "State": {"Code": row["state"]},
        "Type": "gateway",
        "AvailabilityZones": [{"ZoneName": subnet["zone"], "SubnetId": subnet["subnet_id"]} for subnet in subnets],
        "IpAddressType": row["ip_address_type"],
    }
