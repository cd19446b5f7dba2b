"""Routes: CreateRoute, ReplaceRoute, DeleteRoute.  A route leads to an endpoint, an internet gateway, or an interface.

Source: EC2 API reference, "CreateRoute" and "ReplaceRoute"; VPC user guide, "Route tables" and "Quotas".
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any, Final

from msgspec.structs import replace

from forwarder.control.context import Context
from forwarder.ec2.change import refuse_dry_run, route_table_of, vpc_of, write
from forwarder.inventory import Route, RouteTable
from gatewatch.aws.error import AwsError

#: Request members that name a route's target.
TARGETS: Final = ("VpcEndpointId", "GatewayId", "NetworkInterfaceId", "InstanceId")
ROUTES_PER_TABLE_MAX: Final = 50


def create_route(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """CreateRoute."""
    table, destination = route_table_of(context, parameters["RouteTableId"]), _destination(parameters)
    if destination == _local(context, table) or any(route.destination == destination for route in table.routes):
        raise AwsError("RouteAlreadyExists", f"The route identified by {destination} already exists.")
    if len(table.routes) >= ROUTES_PER_TABLE_MAX:
        raise AwsError("RouteLimitExceeded", f"The maximum number of routes of a table, {ROUTES_PER_TABLE_MAX}, has been reached.")
    route = Route(destination=destination, target=_target(context, table, parameters))
    refuse_dry_run(parameters)
    write(context, "route_tables", replace(table, routes=(*table.routes, route)))
    return {"Return": True}


def replace_route(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """ReplaceRoute.  `local` leads where it leads."""
    table, destination = route_table_of(context, parameters["RouteTableId"]), _destination(parameters)
    if not any(route.destination == destination for route in table.routes):
        raise AwsError(
            "InvalidParameterValue", f"There is no route defined for '{destination}' in the route table. Use CreateRoute instead.")
    route = Route(destination=destination, target=_target(context, table, parameters))
    refuse_dry_run(parameters)
    routes = tuple(route if each.destination == destination else each for each in table.routes)
    write(context, "route_tables", replace(table, routes=routes))
    return {}


def delete_route(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DeleteRoute."""
    table, destination = route_table_of(context, parameters["RouteTableId"]), _destination(parameters)
    if destination == _local(context, table):
        raise AwsError("InvalidParameterValue", f"cannot remove local route {destination} in route table {table.id}")
    left = tuple(route for route in table.routes if route.destination != destination)
    if len(left) == len(table.routes):
        raise AwsError(
            "InvalidRoute.NotFound", f"no route with destination-cidr-block {destination} in route table {table.id}")
    refuse_dry_run(parameters)
    write(context, "route_tables", replace(table, routes=left))
    return {}


def _local(context: Context, table: RouteTable) -> str:
    return vpc_of(context, table.vpc_id).cidr


def _destination(parameters: Mapping[str, Any]) -> str:
    """The block in its canonical form, as AWS makes it of one with host bits."""
    given = parameters.get("DestinationCidrBlock")
    if given is None:
        raise AwsError("MissingParameter", "The request must contain the parameter destinationCidrBlock")
    try:
        block = ip_network(given, strict=False)
    except ValueError as error:
        raise _bad_block(given) from error
    if block.version != 4 or "/" not in given:
        raise _bad_block(given)
    return str(block)


def _bad_block(given: str) -> AwsError:
    return AwsError(
        "InvalidParameterValue", f"Value ({given[:100]}) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.")


def _target(context: Context, table: RouteTable, parameters: Mapping[str, Any]) -> str:
    """The id that a route has of its target, which must be in the table's VPC."""
    given = [(member, parameters[member]) for member in TARGETS if parameters.get(member)]
    if not given:
        names = ", ".join(member[:1].lower() + member[1:] for member in TARGETS)
        raise AwsError("MissingParameter", f"The request must contain exactly one of {names}")
    if len(given) > 1:
        raise AwsError("InvalidParameterCombination", f"The parameters {given[0][0]} and {given[1][0]} cannot be used together")
    member, value = given[0]
    find = {"VpcEndpointId": _endpoint, "GatewayId": _gateway, "NetworkInterfaceId": _interface, "InstanceId": _instance}[member]
    target, vpc_id = find(context, value)
    if vpc_id != table.vpc_id:
        raise AwsError("InvalidParameterValue", f"route table {table.id} and {value} belong to different networks")
    if member == "GatewayId" and any(association.startswith("igw-") for association in table.associations):
        raise AwsError(
            "InvalidParameterValue",
            f"route table {table.id} is associated with a gateway; its routes may lead to endpoints and network interfaces only")
    return target


def _endpoint(context: Context, value: str) -> tuple[str, str]:
    for endpoint in context.inventory.endpoints:
        if endpoint.id == value:
            return endpoint.id, _vpc_of_subnet(context, endpoint.subnet_id)
    raise AwsError("InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{value[:100]}' does not exist")


def _gateway(context: Context, value: str) -> tuple[str, str]:
    if value == "local":
        raise AwsError("InvalidParameterValue", "The local route is there from the first and cannot be made")
    for gateway in context.inventory.internet_gateways:
        if gateway.id == value:
            return gateway.id, gateway.vpc_id
    raise AwsError("InvalidGatewayID.NotFound", f"The gateway ID '{value[:100]}' does not exist")


def _interface(context: Context, value: str) -> tuple[str, str]:
    for instance in context.inventory.instances:
        if instance.interface_id == value:
            return value, _vpc_of_subnet(context, instance.subnet_id)
    raise AwsError("InvalidNetworkInterfaceID.NotFound", f"The networkInterface ID '{value[:100]}' does not exist")


def _instance(context: Context, value: str) -> tuple[str, str]:
    for instance in context.inventory.instances:
        if instance.id == value:
            return instance.interface_id, _vpc_of_subnet(context, instance.subnet_id)
    raise AwsError("InvalidInstanceID.NotFound", f"The instance ID '{value[:100]}' does not exist")


def _vpc_of_subnet(context: Context, subnet_id: str) -> str:
    subnet = context.inventory.subnet(subnet_id)
    assert subnet is not None, "every network is checked"
    return subnet.vpc_id
