"""Endpoint services: what a consumer's endpoints are made for, and the load balancers behind it.

Source: EC2 API reference, "CreateVpcEndpointServiceConfiguration" and what belongs to it; AWS PrivateLink guide, "Create a Gateway
Load Balancer endpoint service".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from forwarder.control import network_state
from forwarder.control.context import Context
from forwarder.ec2.change import (
    new_number,
    refuse_dry_run,
    service_of,
    token_member,
    unsuccessful,
    used_otherwise,
    write,
)
from forwarder.ec2.listing import Item, Listing, tag_filters, values_at
from forwarder.ec2.tags import forget_tags, given_tags, tags_of, write_tags
from forwarder.inventory import REJECTED, EndpointService
from gatewatch.aws.error import AwsError

#: Services of an account in a Region (PrivateLink quotas), and load balancers of one.
SERVICES_MAX: Final = 100
SERVICE_LOAD_BALANCERS_MAX: Final = 20
TAGGED_AS: Final = "vpc-endpoint-service"

_CONFIGURATIONS: Final = Listing(
    ids_member="ServiceIds", id_member="ServiceId", not_found="InvalidVpcEndpointServiceId.NotFound", what="VpcEndpointService Id",
    filters={
        "service-name": values_at("ServiceName"), "service-id": values_at("ServiceId"), "service-state": values_at("ServiceState"),
        "supported-ip-address-types": values_at("SupportedIpAddressTypes"), **tag_filters(),
    },
)
_SERVICES: Final = Listing(
    ids_member="ServiceNames", id_member="ServiceName", not_found="InvalidServiceName", what="Vpc Endpoint Service",
    filters={
        "owner": values_at("Owner"), "service-name": values_at("ServiceName"), "service-type": values_at("ServiceType", "ServiceType"),
        "supported-ip-address-types": values_at("SupportedIpAddressTypes"), **tag_filters(),
    },
)


def create_vpc_endpoint_service_configuration(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """CreateVpcEndpointServiceConfiguration, for gateway load balancers."""
    _refuse_unserved(parameters)
    balancers = _balancers(context, parameters.get("GatewayLoadBalancerArns") or ())
    tags = given_tags(parameters, TAGGED_AS)
    service = EndpointService(
        id=f"vpce-svc-0{new_number(context, parameters, 'endpoint service')}", load_balancer_arns=balancers,
        acceptance_required=parameters.get("AcceptanceRequired", True),
    )
    made = context.inventory.endpoint_service(service.id)
    if made is None:
        _check_room(context, balancers)
        refuse_dry_run(parameters)
        write(context, "endpoint_services", service)
        write_tags(context, service.id, tags)
    elif (made.load_balancer_arns, made.acceptance_required) != (service.load_balancer_arns, service.acceptance_required):
        raise used_otherwise()
    return {"ServiceConfiguration": _configuration(context, made or service), **token_member(parameters)}


def describe_vpc_endpoint_service_configurations(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeVpcEndpointServiceConfigurations."""
    items = [_configuration(context, service) for service in context.inventory.endpoint_services]
    page, more = _CONFIGURATIONS.select(items, parameters)
    return {"ServiceConfigurations": page, **more}


def modify_vpc_endpoint_service_configuration(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """ModifyVpcEndpointServiceConfiguration: its load balancers, and whether its owner is asked."""
    _refuse_unserved(parameters)
    service = service_of(context, parameters["ServiceId"])
    added = parameters.get("AddGatewayLoadBalancerArns") or ()
    removed = parameters.get("RemoveGatewayLoadBalancerArns") or ()
    strangers = [arn for arn in removed if arn not in service.load_balancer_arns]
    if strangers:
        raise AwsError("InvalidParameter", f"The load balancer {strangers[0][:300]} is not associated with {service.id}")
    kept = [arn for arn in service.load_balancer_arns if arn not in removed]
    balancers = _balancers(context, [*kept, *added])
    _check_not_shared(context, [arn for arn in balancers if arn not in service.load_balancer_arns])
    refuse_dry_run(parameters)
    write(context, "endpoint_services", replace(
        service, load_balancer_arns=balancers, acceptance_required=parameters.get("AcceptanceRequired", service.acceptance_required)))
    return {"Return": True}


def delete_vpc_endpoint_service_configurations(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DeleteVpcEndpointServiceConfigurations: of those that no endpoint is connected to."""
    refuse_dry_run(parameters)
    refusals: dict[str, AwsError] = {}
    for service_id in dict.fromkeys(parameters["ServiceIds"]):
        try:
            _delete(context, service_of(context, service_id))
        except AwsError as error:
            refusals[service_id] = error
    return unsuccessful(refusals)


def describe_vpc_endpoint_services(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeVpcEndpointServices: what a consumer can make an endpoint for."""
    items = [_offer(context, service) for service in context.inventory.endpoint_services]
    page, more = _SERVICES.select(items, parameters)
    return {"ServiceNames": [item["ServiceName"] for item in page], "ServiceDetails": page, **more}


def service_name(context: Context, service_id: str) -> str:
    """`com.amazonaws.vpce.REGION.ID`."""
    return f"com.amazonaws.vpce.{context.region}.{service_id}"


def zones_of(context: Context, service: EndpointService) -> list[str]:
    """The names of the zones in which a load balancer of the service has a subnet."""
    marks = ", ".join("?" * len(service.load_balancer_arns))
    rows = context.connection.execute(
        f"SELECT DISTINCT zone FROM load_balancer_subnets WHERE load_balancer_arn IN ({marks}) ORDER BY zone",
        service.load_balancer_arns,
    )
    return [row["zone"] for row in rows]


def _delete(context: Context, service: EndpointService) -> None:
    users = [end.id for end in context.inventory.endpoints if end.service_id == service.id and end.connection != REJECTED]
    if users:
        raise AwsError(
            "ExistingVpcEndpointConnections", f"Service {service.id} has existing active VPC Endpoint connections: {', '.join(users[:5])}")
    network_state.remove(context.connection, "endpoint_services", service.id)
    forget_tags(context, service.id)


def _refuse_unserved(parameters: Mapping[str, Any]) -> None:
    unserved = [member for member in parameters if "NetworkLoadBalancer" in member or "PrivateDnsName" in member]
    if unserved:
        raise AwsError("UnsupportedOperation", f"{unserved[0]} is not served: gatewatch has Gateway Load Balancers only")
    types = {*parameters.get("SupportedIpAddressTypes", ()), *parameters.get("AddSupportedIpAddressTypes", ())} - {"ipv4"}
    if types:
        raise AwsError("UnsupportedOperation", f"The IP address type {min(types)[:20]} is not served; gatewatch has ipv4 only")


def _balancers(context: Context, arns: Sequence[str]) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(arns))
    if not wanted:
        raise AwsError("MissingParameter", "A service must have at least one Gateway Load Balancer")
    if len(wanted) > SERVICE_LOAD_BALANCERS_MAX:
        raise AwsError("InvalidParameter", f"A service can have {SERVICE_LOAD_BALANCERS_MAX} load balancers")
    for arn in wanted:
        if context.connection.execute("SELECT 1 FROM load_balancers WHERE arn = ?", (arn,)).fetchone() is None:
            raise AwsError("InvalidParameter", f"The load balancer with the ARN {arn[:300]} does not exist")
    return wanted


def _check_room(context: Context, balancers: tuple[str, ...]) -> None:
    if len(context.inventory.endpoint_services) >= SERVICES_MAX:
        raise AwsError("VpcEndpointServiceLimitExceeded", f"The maximum number of endpoint services, {SERVICES_MAX}, has been reached.")
    _check_not_shared(context, balancers)


def _check_not_shared(context: Context, balancers: Sequence[str]) -> None:
    """A load balancer is behind one service (PrivateLink guide, "Considerations")."""
    for service in context.inventory.endpoint_services:
        for arn in balancers:
            if arn in service.load_balancer_arns:
                raise AwsError("InvalidParameter", f"The load balancer {arn} is already associated with {service.id}")


def _configuration(context: Context, service: EndpointService) -> Item:
    return {
        "ServiceType": [{"ServiceType": "GatewayLoadBalancer"}], "ServiceId": service.id, "ServiceName": service_name(context, service.id),
        "ServiceState": "Available", "AvailabilityZones": zones_of(context, service), "AcceptanceRequired": service.acceptance_required,
        "ManagesVpcEndpoints": False, "GatewayLoadBalancerArns": list(service.load_balancer_arns),
        "SupportedIpAddressTypes": ["ipv4"], "Tags": tags_of(context, service.id),
    }


def _offer(context: Context, service: EndpointService) -> Item:
    return {
        "ServiceName": service_name(context, service.id), "ServiceId": service.id,
        "ServiceType": [{"ServiceType": "GatewayLoadBalancer"}], "AvailabilityZones": zones_of(context, service),
        "Owner": context.account_id, "VpcEndpointPolicySupported": False, "AcceptanceRequired": service.acceptance_required,
        "ManagesVpcEndpoints": False, "SupportedIpAddressTypes": ["ipv4"], "Tags": tags_of(context, service.id),
    }
