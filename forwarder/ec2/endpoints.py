"""Gateway Load Balancer endpoints: made for a service in one subnet, shown, and taken away.

An endpoint is made without a device.  Whoever has the place that it is in attaches it (the lab by itself, a person with
`gatewatch endpoint attach`), and it is `pending` until the forwarder has found the device.

Source: EC2 API reference, "CreateVpcEndpoint", "DescribeVpcEndpoints", "DeleteVpcEndpoints"; AWS PrivateLink guide, "Create a Gateway Load
Balancer endpoint".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from forwarder.control import network_state
from forwarder.control.addresses import free_address
from forwarder.control.context import Context
from forwarder.control.network_state import PENDING, states
from forwarder.ec2.change import (
    endpoint_of,
    new_number,
    refuse_dry_run,
    subnet_of,
    token_member,
    unsuccessful,
    used_otherwise,
    vpc_of,
    write,
)
from forwarder.ec2.endpoint_connections import shown_state
from forwarder.ec2.endpoint_services import service_name, zones_of
from forwarder.ec2.listing import Item, Listing, tag_filters, values_at
from forwarder.ec2.tags import forget_tags, given_tags, tags_of, write_tags
from forwarder.inventory import (
    ACCEPTED,
    PENDING_ACCEPTANCE,
    Endpoint,
    EndpointService,
    Subnet,
)
from gatewatch.aws.error import AwsError

#: Gateway Load Balancer endpoints of a VPC (PrivateLink quotas).
ENDPOINTS_PER_VPC_MAX: Final = 50
TAGGED_AS: Final = "vpc-endpoint"

_ENDPOINTS: Final = Listing(
    ids_member="VpcEndpointIds", id_member="VpcEndpointId", not_found="InvalidVpcEndpointId.NotFound",
    what="Vpc Endpoint Id",
    filters={
        "vpc-endpoint-id": values_at("VpcEndpointId"), "vpc-id": values_at("VpcId"), "service-name": values_at("ServiceName"),
        "vpc-endpoint-state": values_at("State"), "vpc-endpoint-type": values_at("VpcEndpointType"),
        "ip-address-type": values_at("IpAddressType"), **tag_filters(),
    },
)


def create_vpc_endpoint(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """CreateVpcEndpoint, of type GatewayLoadBalancer: `pending`, or `pendingAcceptance` when the service's owner is asked first."""
    _refuse_unserved(parameters)
    subnet, service = _subnet(context, parameters), _service(context, parameters)
    tags = given_tags(parameters, TAGGED_AS)
    number = new_number(context, parameters, "endpoint")
    made = endpoint_of(context, f"vpce-0{number}")
    if made is not None and (made.subnet_id, made.service_id) != (subnet.id, service.id):
        raise used_otherwise()
    if made is None:
        _check_room(context, subnet)
        made = Endpoint(
            id=f"vpce-0{number}", interface_id=f"eni-0{number}", subnet_id=subnet.id, address=free_address(context.inventory, subnet),
            service_id=service.id, connection=PENDING_ACCEPTANCE if service.acceptance_required else ACCEPTED, created_s=context.now_s,
        )
        refuse_dry_run(parameters)
        write(context, "endpoints", made)
        write_tags(context, made.id, tags)
    seen = states(context.connection, "endpoints").get(made.id, PENDING)
    return {"VpcEndpoint": _item(context, made, subnet, seen), **token_member(parameters)}


def describe_vpc_endpoints(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeVpcEndpoints.  An endpoint that the inventory connects to a VPC's load balancer has no service name.

    `available` once the forwarder has the endpoint's device, `pending` before.
    """
    seen = states(context.connection, "endpoints")
    items = [
        _item(context, endpoint, subnet_of(context, endpoint.subnet_id), seen[endpoint.id]) for endpoint in context.inventory.endpoints
    ]
    page, more = _ENDPOINTS.select(items, parameters)
    return {"VpcEndpoints": page, **more}


def delete_vpc_endpoints(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DeleteVpcEndpoints.  Routes that lead to one are blackholes from now on."""
    refuse_dry_run(parameters)
    refusals: dict[str, AwsError] = {}
    for endpoint_id in dict.fromkeys(parameters["VpcEndpointIds"]):
        if endpoint_of(context, endpoint_id) is None:
            refusals[endpoint_id] = AwsError(
                "InvalidVpcEndpoint.NotFound", f"The Vpc Endpoint Id '{endpoint_id[:100]}' does not exist")
        else:
            network_state.remove(context.connection, "endpoints", endpoint_id)
            forget_tags(context, endpoint_id)
    return unsuccessful(refusals)


def _refuse_unserved(parameters: Mapping[str, Any]) -> None:
    kind = parameters.get("VpcEndpointType", "Gateway")
    if kind != "GatewayLoadBalancer":
        raise AwsError("InvalidParameter", f"The endpoint type '{kind[:40]}' is not served; gatewatch has 'GatewayLoadBalancer' only")
    if parameters.get("IpAddressType", "ipv4") != "ipv4":
        raise AwsError("InvalidParameter", f"The IP address type {parameters['IpAddressType'][:20]} is not served; gatewatch has ipv4 only")


def _subnet(context: Context, parameters: Mapping[str, Any]) -> Subnet:
    vpc, subnets = vpc_of(context, parameters["VpcId"]), parameters.get("SubnetIds") or ()
    wanted = next(iter(subnets), "")
    if len(subnets) != 1:
        raise AwsError("InvalidParameter", "A Gateway Load Balancer endpoint must have exactly one subnet")
    subnet = subnet_of(context, wanted)
    if subnet.vpc_id != vpc.id:
        raise AwsError("InvalidParameter", f"The subnet {subnet.id} is not in the VPC {vpc.id}")
    return subnet


def _service(context: Context, parameters: Mapping[str, Any]) -> EndpointService:
    name = parameters.get("ServiceName", "")
    if not name:
        raise AwsError("MissingParameter", "The request must contain the parameter ServiceName")
    service = next((each for each in context.inventory.endpoint_services if service_name(context, each.id) == name), None)
    if service is None:
        raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{name[:200]}' does not exist")
    zone = _subnet(context, parameters).zone
    if zone not in zones_of(context, service):
        raise AwsError(
            "InvalidParameter", f"The VPC endpoint service {name} does not support the availability zone of the subnet: {zone}")
    return service


def _check_room(context: Context, subnet: Subnet) -> None:
    subnets = {each.id for each in context.inventory.subnets if each.vpc_id == subnet.vpc_id}
    if sum(endpoint.subnet_id in subnets for endpoint in context.inventory.endpoints) >= ENDPOINTS_PER_VPC_MAX:
        raise AwsError(
            "VpcEndpointLimitExceeded", f"The maximum number of Gateway Load Balancer endpoints of a VPC, {ENDPOINTS_PER_VPC_MAX}, has been"
            " reached.")


def _item(context: Context, endpoint: Endpoint, subnet: Subnet, observed: str) -> Item:
    service = {"ServiceName": service_name(context, endpoint.service_id)} if endpoint.service_id else {}
    created = {"CreationTimestamp": datetime.fromtimestamp(endpoint.created_s, UTC)} if endpoint.created_s else {}
    return {
        "VpcEndpointId": endpoint.id, "VpcEndpointType": "GatewayLoadBalancer", "VpcId": subnet.vpc_id, **service,
        "State": shown_state(endpoint, observed), "RouteTableIds": [], "SubnetIds": [subnet.id], "Groups": [],
        "IpAddressType": "ipv4", "PrivateDnsEnabled": False, "RequesterManaged": False, "NetworkInterfaceIds": [endpoint.interface_id],
        "DnsEntries": [], **created, "Tags": tags_of(context, endpoint.id), "OwnerId": context.account_id,
    }
