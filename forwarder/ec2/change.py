"""What the ec2 operations that change the network share: the dry run, finding things, writing them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forwarder.control import network_state
from forwarder.control.context import Context
from forwarder.control.network_state import Thing
from forwarder.inventory import RouteTable, Vpc
from gatewatch.aws.error import AwsError


def refuse_dry_run(parameters: Mapping[str, Any]) -> None:
    """Call when everything else was right."""
    if parameters.get("DryRun"):
        raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)


def write(context: Context, kind: str, thing: Thing) -> None:
    """Make or change it."""
    network_state.put(context.connection, kind, thing)


def vpc_of(context: Context, vpc_id: str) -> Vpc:
    """`InvalidVpcID.NotFound`."""
    vpc = context.inventory.vpc(vpc_id)
    if vpc is None:
        raise AwsError("InvalidVpcID.NotFound", f"The vpc ID '{vpc_id[:100]}' does not exist")
    return vpc


def route_table_of(context: Context, table_id: str) -> RouteTable:
    """`InvalidRouteTableID.NotFound`."""
    for table in context.inventory.route_tables:
        if table.id == table_id:
            return table
    raise AwsError("InvalidRouteTableID.NotFound", f"The routeTable ID '{table_id[:100]}' does not exist")
