"""What a service's owner says of the endpoints that consumers made for it: who may, and each one yes or no.

Source: EC2 API reference, "AcceptVpcEndpointConnections", "ModifyVpcEndpointServicePermissions"; AWS PrivateLink guide, "Accept or reject
connection requests".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from msgspec.structs import replace

from forwarder.control.context import Context
from forwarder.control.network_state import states
from forwarder.ec2.change import endpoint_of, refuse_dry_run, service_of, unsuccessful, write
from forwarder.ec2.listing import Item, Listing, values_at
from forwarder.inventory import ACCEPTED, REJECTED, Endpoint
from gatewatch.aws.error import AwsError

#: Principals that one service allows.
PRINCIPALS_MAX: Final = 1000
_PRINCIPAL: Final = re.compile(r"\*|arn:aws[a-z-]*:iam::\d{12}:(root|user/.{1,512}|role/.{1,512})")
#: The numbers of AWS ids.
_NUMBER_AT: Final = 5

_CONNECTIONS: Final = Listing(
    ids_member="", id_member="VpcEndpointId", not_found="", what="Vpc Endpoint Id",
    filters={
        "service-id": values_at("ServiceId"), "vpc-endpoint-owner": values_at("VpcEndpointOwner"),
        "vpc-endpoint-state": values_at("VpcEndpointState"), "vpc-endpoint-id": values_at("VpcEndpointId"),
        "ip-address-type": values_at("IpAddressType"),
    },
)
_PERMISSIONS: Final = Listing(
    ids_member="", id_member="Principal", not_found="", what="principal",
    filters={"principal": values_at("Principal"), "principal-type": values_at("PrincipalType")},
)


def describe_vpc_endpoint_connections(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeVpcEndpointConnections."""
    items = [_connection(context, endpoint) for endpoint in context.inventory.endpoints
             if context.inventory.endpoint_service(endpoint.service_id)]
    page, more = _CONNECTIONS.select(items, parameters)
    return {"VpcEndpointConnections": page, **more}


def accept_vpc_endpoint_connections(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """AcceptVpcEndpointConnections: from now on packets pass."""
    return _decide(context, parameters, ACCEPTED)


def reject_vpc_endpoint_connections(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """RejectVpcEndpointConnections: from now on no packet passes."""
    return _decide(context, parameters, REJECTED)


def modify_vpc_endpoint_service_permissions(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """ModifyVpcEndpointServicePermissions."""
    service = service_of(context, parameters["ServiceId"])
    added, removed = parameters.get("AddAllowedPrincipals") or (), parameters.get("RemoveAllowedPrincipals") or ()
    wrong = [principal for principal in (*added, *removed) if not _PRINCIPAL.fullmatch(principal)]
    if wrong:
        raise AwsError("InvalidPrincipal", f"Invalid principal: {wrong[0][:300]}")
    allowed = tuple(each for each in dict.fromkeys((*service.allowed_principals, *added)) if each not in removed)
    if len(allowed) > PRINCIPALS_MAX:
        raise AwsError("InvalidParameter", f"A service can allow {PRINCIPALS_MAX} principals")
    refuse_dry_run(parameters)
    write(context, "endpoint_services", replace(service, allowed_principals=allowed))
    new = [principal for principal in added if principal not in service.allowed_principals]
    return {"AddedPrincipals": [_principal(principal) | {"ServiceId": service.id} for principal in new], "ReturnValue": True}


def describe_vpc_endpoint_service_permissions(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeVpcEndpointServicePermissions."""
    service = service_of(context, parameters["ServiceId"])
    page, more = _PERMISSIONS.select([_principal(principal) for principal in service.allowed_principals], parameters)
    return {"AllowedPrincipals": page, **more}


def shown_state(endpoint: Endpoint, observed: str) -> str:
    """`pendingAcceptance`, `rejected`, or once it is accepted what the forwarder found: `pending` or `available`."""
    return observed if endpoint.connection == ACCEPTED else endpoint.connection


def _decide(context: Context, parameters: Mapping[str, Any], answer: str) -> dict[str, Any]:
    service = service_of(context, parameters["ServiceId"])
    refuse_dry_run(parameters)
    refusals: dict[str, AwsError] = {}
    for endpoint_id in dict.fromkeys(parameters["VpcEndpointIds"]):
        endpoint = endpoint_of(context, endpoint_id)
        if endpoint is None or endpoint.service_id != service.id:
            refusals[endpoint_id] = AwsError(
                "InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{endpoint_id[:100]}' does not exist")
        elif endpoint.connection != answer:
            write(context, "endpoints", replace(endpoint, connection=answer))
    return unsuccessful(refusals)


def _principal(principal: str) -> Item:
    kind = "All" if principal == "*" else {"root": "Account", "user": "User", "role": "Role"}[principal.rsplit(":", 1)[-1].split("/")[0]]
    return {"Principal": principal, "PrincipalType": kind}


def _connection(context: Context, endpoint: Endpoint) -> Item:
    service = service_of(context, endpoint.service_id)
    return {
        "ServiceId": service.id, "VpcEndpointId": endpoint.id, "VpcEndpointOwner": context.account_id,
        "VpcEndpointState": shown_state(endpoint, states(context.connection, "endpoints")[endpoint.id]),
        "CreationTimestamp": datetime.fromtimestamp(endpoint.created_s, UTC), "GatewayLoadBalancerArns": list(service.load_balancer_arns),
        "IpAddressType": "ipv4", "VpcEndpointConnectionId": f"vpce-con-{endpoint.id[_NUMBER_AT:]}", "Tags": [],
    }
