"""What the ec2 operations that change the network share: the dry run, finding things, writing them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from forwarder.control import network_state
from forwarder.control.context import Context
from forwarder.control.network_state import Thing
from forwarder.inventory import Endpoint, EndpointService, RouteTable, Subnet, Vpc
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


def subnet_of(context: Context, subnet_id: str) -> Subnet:
    """`InvalidSubnetID.NotFound`."""
    subnet = context.inventory.subnet(subnet_id)
    if subnet is None:
        raise AwsError("InvalidSubnetID.NotFound", f"The subnet ID '{subnet_id[:100]}' does not exist")
    return subnet


def service_of(context: Context, service_id: str) -> EndpointService:
    """`InvalidVpcEndpointServiceId.NotFound`."""
    service = context.inventory.endpoint_service(service_id)
    if service is None:
        raise AwsError("InvalidVpcEndpointServiceId.NotFound", f"The VpcEndpointService Id '{service_id[:100]}' does not exist")
    return service


def endpoint_of(context: Context, endpoint_id: str) -> Endpoint | None:
    """None if there is none."""
    return next((endpoint for endpoint in context.inventory.endpoints if endpoint.id == endpoint_id), None)


def new_number(context: Context, parameters: Mapping[str, Any], what: str) -> str:
    """Sixteen digits of a new id.  With a client token, which the AWS CLI always sends, they come of it, so that the same request
    again finds what it made."""
    token = parameters.get("ClientToken")
    return hashlib.sha256(f"{what} {token}".encode()).hexdigest()[:16] if token else context.number()


def token_member(parameters: Mapping[str, Any]) -> dict[str, str]:
    """The client token, for an answer that repeats it."""
    return {"ClientToken": parameters["ClientToken"]} if parameters.get("ClientToken") else {}


def used_otherwise() -> AwsError:
    """A client token came again with other parameters."""
    return AwsError("IdempotentParameterMismatch", "The client token was used before, with other parameters")


def unsuccessful(refusals: Mapping[str, AwsError]) -> dict[str, Any]:
    """The answer of an operation on several resources: those that it did not work for."""
    return {"Unsuccessful": [
        {"ResourceId": resource, "Error": {"Code": error.code, "Message": error.message}} for resource, error in refusals.items()
    ]}
