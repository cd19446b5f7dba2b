"""Internet gateways: made, attached to a VPC, detached and taken away.

Source: EC2 API reference, "CreateInternetGateway", "AttachInternetGateway", "DetachInternetGateway", "DeleteInternetGateway".
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any, Final

from msgspec.structs import replace

from forwarder.control import network_state
from forwarder.control.context import Context
from forwarder.ec2.change import refuse_dry_run, vpc_of, write
from forwarder.ec2.listing import Item, Listing, tag_filters, values_at
from forwarder.ec2.tags import forget_tags, given_tags, tags_of, write_tags
from forwarder.inventory import InternetGateway, Vpc
from gatewatch.aws.error import AwsError

GATEWAYS_MAX: Final = 100
_GATEWAYS: Final = Listing(
    ids_member="InternetGatewayIds", id_member="InternetGatewayId", not_found="InvalidInternetGatewayID.NotFound",
    what="internetGateway ID",
    filters={
        "internet-gateway-id": values_at("InternetGatewayId"), "attachment.vpc-id": values_at("Attachments", "VpcId"),
        "attachment.state": values_at("Attachments", "State"), "owner-id": values_at("OwnerId"), **tag_filters(),
    },
)


def describe_internet_gateways(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeInternetGateways."""
    page, more = _GATEWAYS.select([_item(context, gateway) for gateway in context.inventory.internet_gateways], parameters)
    return {"InternetGateways": page, **more}


def create_internet_gateway(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """CreateInternetGateway: of no VPC yet."""
    tags = given_tags(parameters, "internet-gateway")
    if len(context.inventory.internet_gateways) >= GATEWAYS_MAX:
        raise AwsError("InternetGatewayLimitExceeded", f"The maximum number of internet gateways, {GATEWAYS_MAX}, has been reached.")
    refuse_dry_run(parameters)
    gateway = InternetGateway(id=f"igw-0{context.number()}", vpc_id="")
    write(context, "internet_gateways", gateway)
    write_tags(context, gateway.id, tags)
    return {"InternetGateway": _item(context, gateway)}


def attach_internet_gateway(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """AttachInternetGateway.  There is one internet, so of VPCs whose blocks overlap one alone can be reached from it."""
    gateway, vpc = _gateway_of(context, parameters["InternetGatewayId"]), vpc_of(context, parameters["VpcId"])
    if gateway.vpc_id:
        raise AwsError("Resource.AlreadyAssociated", f"resource {gateway.id} is already attached to network {gateway.vpc_id}")
    for other in context.inventory.internet_gateways:
        if other.vpc_id == vpc.id:
            raise AwsError("Resource.AlreadyAssociated", f"network {vpc.id} already has an internet gateway attached")
        _check_apart(vpc, context.inventory.vpc(other.vpc_id))
    refuse_dry_run(parameters)
    write(context, "internet_gateways", replace(gateway, vpc_id=vpc.id))
    return {}


def detach_internet_gateway(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DetachInternetGateway; routes to it are blackholes from now on."""
    gateway, vpc = _gateway_of(context, parameters["InternetGatewayId"]), vpc_of(context, parameters["VpcId"])
    if gateway.vpc_id != vpc.id:
        raise AwsError("Gateway.NotAttached", f"resource {gateway.id} is not attached to network {vpc.id}")
    if any(gateway.id in table.associations for table in context.inventory.route_tables):
        raise AwsError("DependencyViolation", f"{gateway.id} has a route table, whose association must go first")
    refuse_dry_run(parameters)
    write(context, "internet_gateways", replace(gateway, vpc_id=""))
    return {}


def delete_internet_gateway(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DeleteInternetGateway: of one that is attached to no VPC."""
    gateway = _gateway_of(context, parameters["InternetGatewayId"])
    if gateway.vpc_id:
        raise AwsError("DependencyViolation", f"The internetGateway '{gateway.id}' has dependencies and cannot be deleted.")
    refuse_dry_run(parameters)
    network_state.remove(context.connection, "internet_gateways", gateway.id)
    forget_tags(context, gateway.id)
    return {}


def _check_apart(vpc: Vpc, other: Vpc | None) -> None:
    if other is not None and ip_network(vpc.cidr).overlaps(ip_network(other.cidr)):
        raise AwsError(
            "UnsupportedOperation", f"{vpc.id} has addresses of {other.id}, which has an internet gateway: gatewatch translates no"
            " addresses, so only one of them can be reached from the internet")


def _gateway_of(context: Context, gateway_id: str) -> InternetGateway:
    for gateway in context.inventory.internet_gateways:
        if gateway.id == gateway_id:
            return gateway
    raise AwsError("InvalidInternetGatewayID.NotFound", f"The internetGateway ID '{gateway_id[:100]}' does not exist")


def _item(context: Context, gateway: InternetGateway) -> Item:
    return {
        "InternetGatewayId": gateway.id, "OwnerId": context.account_id, "Tags": tags_of(context, gateway.id, gateway.name),
        "Attachments": [{"State": "available", "VpcId": gateway.vpc_id}] if gateway.vpc_id else [],
    }
