"""Route tables and their associations with subnets and internet gateways.

Source: EC2 API reference, "CreateRouteTable", "AssociateRouteTable", "DescribeRouteTables"; VPC user guide, "Quotas".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from forwarder.control import network_state
from forwarder.control.context import Context
from forwarder.ec2.change import new_number, refuse_dry_run, route_table_of, token_member, used_otherwise, vpc_of, write
from forwarder.ec2.listing import Item, Listing, tag_filters, values_at
from forwarder.ec2.tags import forget_tags, given_tags, tags_of, write_tags
from forwarder.inventory import Route, RouteTable
from gatewatch.aws.error import AwsError

TABLES_PER_VPC_MAX: Final = 200
MAIN: Final = "main"
_ASSOCIATED: Final = {"State": "associated"}

_TABLES: Final = Listing(
    ids_member="RouteTableIds", id_member="RouteTableId", not_found="InvalidRouteTableID.NotFound", what="routeTable ID",
    filters={
        "route-table-id": values_at("RouteTableId"), "vpc-id": values_at("VpcId"), "owner-id": values_at("OwnerId"),
        "association.route-table-association-id": values_at("Associations", "RouteTableAssociationId"),
        "association.route-table-id": values_at("Associations", "RouteTableId"),
        "association.subnet-id": values_at("Associations", "SubnetId"), "association.main": values_at("Associations", "Main"),
        "association.gateway-id": values_at("Associations", "GatewayId"),
        "route.destination-cidr-block": values_at("Routes", "DestinationCidrBlock"),
        "route.gateway-id": values_at("Routes", "GatewayId"), "route.origin": values_at("Routes", "Origin"),
        "route.state": values_at("Routes", "State"), **tag_filters(),
    },
)


def describe_route_tables(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeRouteTables.  A route to an endpoint has the endpoint's id as its gateway; a target that is gone is a blackhole."""
    page, more = _TABLES.select([_item(context, table) for table in context.inventory.route_tables], parameters)
    return {"RouteTables": page, **more}


def create_route_table(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """CreateRouteTable."""
    vpc, tags = vpc_of(context, parameters["VpcId"]), given_tags(parameters, "route-table")
    table_id = f"rtb-0{new_number(context, parameters, 'route table')}"
    made = next((table for table in context.inventory.route_tables if table.id == table_id), None)
    if made is not None and made.vpc_id != vpc.id:
        raise used_otherwise()
    if made is None:
        _check_room(context, vpc.id)
        refuse_dry_run(parameters)
        made = RouteTable(id=table_id, vpc_id=vpc.id)
        write(context, "route_tables", made)
        write_tags(context, made.id, tags)
    return {"RouteTable": _item(context, made), **token_member(parameters)}


def delete_route_table(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DeleteRouteTable: of one that nothing is associated with."""
    table = route_table_of(context, parameters["RouteTableId"])
    if table.associations or table.main:
        raise AwsError("DependencyViolation", f"The routeTable '{table.id}' has dependencies and cannot be deleted.")
    refuse_dry_run(parameters)
    network_state.remove(context.connection, "route_tables", table.id)
    forget_tags(context, table.id)
    return {}


def associate_route_table(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """AssociateRouteTable: with a subnet, or with an internet gateway for what comes from it."""
    table = route_table_of(context, parameters["RouteTableId"])
    association = _association(context, table, parameters)
    for other in context.inventory.route_tables:
        if association in other.associations and other.id != table.id:
            raise AwsError(
                "Resource.AlreadyAssociated",
                f"the specified association for route table {table.id} conflicts with an existing association")
    refuse_dry_run(parameters)
    if association not in table.associations:
        _check_gateway(table, association)
        write(context, "route_tables", replace(table, associations=(*table.associations, association)))
    return {"AssociationId": association_id(table.id, association), "AssociationState": _ASSOCIATED}


def disassociate_route_table(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DisassociateRouteTable.  The main table stays so until another is."""
    table, association = _found(context, parameters["AssociationId"])
    if association == MAIN:
        raise AwsError("InvalidParameterValue", f"cannot disassociate the main route table association {parameters['AssociationId']}")
    refuse_dry_run(parameters)
    write(context, "route_tables", _without(table, association))
    return {}


def replace_route_table_association(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """ReplaceRouteTableAssociation: the subnet, gateway or VPC has another table from now on."""
    former, association = _found(context, parameters["AssociationId"])
    table = route_table_of(context, parameters["RouteTableId"])
    if table.vpc_id != former.vpc_id:
        raise AwsError("InvalidParameterValue", f"Route table {table.id} and route table {former.id} belong to different networks")
    refuse_dry_run(parameters)
    if table.id != former.id:
        _check_gateway(table, association)
        write(context, "route_tables", _without(former, association))
        write(context, "route_tables", _with(table, association))
    return {"NewAssociationId": association_id(table.id, association), "AssociationState": _ASSOCIATED}


def association_id(table_id: str, association: str) -> str:
    """The id of a table's association with a subnet or gateway, or as its VPC's main one (`MAIN`)."""
    return f"rtbassoc-0{hashlib.sha256(f'{table_id}/{association}'.encode()).hexdigest()[:16]}"


def _association(context: Context, table: RouteTable, parameters: Mapping[str, Any]) -> str:
    given = [parameters[member] for member in ("SubnetId", "GatewayId") if parameters.get(member)]
    if len(given) != 1:
        raise AwsError("InvalidParameterCombination" if given else "MissingParameter",
                       "The request must contain exactly one of subnetId, gatewayId")
    [wanted] = given
    owners = {subnet.id: subnet.vpc_id for subnet in context.inventory.subnets} if "SubnetId" in parameters else {
        gateway.id: gateway.vpc_id for gateway in context.inventory.internet_gateways}
    if wanted not in owners:
        code, what = ("InvalidSubnetID", "subnet") if "SubnetId" in parameters else ("InvalidGatewayID", "gateway")
        raise AwsError(f"{code}.NotFound", f"The {what} ID '{wanted[:100]}' does not exist")
    if owners[wanted] != table.vpc_id:
        raise AwsError("InvalidParameterValue", f"Route table {table.id} and {wanted} belong to different networks")
    return str(wanted)


def _check_gateway(table: RouteTable, association: str) -> None:
    """What comes from a gateway cannot be sent to one."""
    leads_to_gateway = [route.destination for route in table.routes if route.target.startswith("igw-")]
    if association.startswith("igw-") and leads_to_gateway:
        raise AwsError(
            "InvalidParameterValue",
            f"route table {table.id} cannot be associated with a gateway: its route {leads_to_gateway[0]} leads to one")


def _found(context: Context, wanted: str) -> tuple[RouteTable, str]:
    for table in context.inventory.route_tables:
        for association in (*table.associations, *((MAIN,) if table.main else ())):
            if association_id(table.id, association) == wanted:
                return table, association
    raise AwsError("InvalidAssociationID.NotFound", f"The association ID '{wanted[:100]}' does not exist")


def _without(table: RouteTable, association: str) -> RouteTable:
    if association == MAIN:
        return replace(table, main=False)
    return replace(table, associations=tuple(each for each in table.associations if each != association))


def _with(table: RouteTable, association: str) -> RouteTable:
    return replace(table, main=True) if association == MAIN else replace(table, associations=(*table.associations, association))


def _check_room(context: Context, vpc_id: str) -> None:
    if sum(table.vpc_id == vpc_id for table in context.inventory.route_tables) >= TABLES_PER_VPC_MAX:
        raise AwsError("RouteTableLimitExceeded", f"The maximum number of route tables of a VPC, {TABLES_PER_VPC_MAX}, has been reached.")


def _item(context: Context, table: RouteTable) -> Item:
    block = vpc_of(context, table.vpc_id).cidr
    local = {"DestinationCidrBlock": block, "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"}
    return {
        "RouteTableId": table.id, "VpcId": table.vpc_id, "OwnerId": context.account_id, "PropagatingVgws": [],
        "Tags": tags_of(context, table.id, table.name),
        "Routes": [local, *(_route(context, route) for route in table.routes)],
        "Associations": [_associated(table, each) for each in (*table.associations, *((MAIN,) if table.main else ()))],
    }


def _associated(table: RouteTable, association: str) -> Item:
    member = {"igw": "GatewayId", "sub": "SubnetId"}.get(association[:3])
    return {
        "Main": association == MAIN, "RouteTableAssociationId": association_id(table.id, association), "RouteTableId": table.id,
        "AssociationState": _ASSOCIATED, **({member: association} if member else {}),
    }


def _route(context: Context, route: Route) -> Item:
    network = context.inventory
    instances = {instance.interface_id: instance.id for instance in network.instances}
    there = {*instances, *(endpoint.id for endpoint in network.endpoints), *(gateway.id for gateway in network.internet_gateways)}
    target = {"NetworkInterfaceId": route.target} if route.target.startswith("eni-") else {"GatewayId": route.target}
    if route.target in instances:
        target |= {"InstanceId": instances[route.target], "InstanceOwnerId": context.account_id}
    return {
        "DestinationCidrBlock": route.destination, **target, "Origin": "CreateRoute",
        "State": "active" if route.target in there else "blackhole",
    }
