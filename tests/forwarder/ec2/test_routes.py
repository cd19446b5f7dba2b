"""Routes: made, changed and removed, and every reason for which they are not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from forwarder.ec2.routes import ROUTES_PER_TABLE_MAX
from forwarder.inventory import Route
from forwarder.lab.names import aws_id
from forwarder.lab.wiring import wire
from tests.forwarder.conftest import Refused

EDGE, APPLICATION, PROVIDER = (aws_id("gw", "rtb", name) for name in ("edge", "application", "provider"))
ENDPOINT, GATEWAY, SERVER = aws_id("gw", "vpce", "endpoint"), aws_id("gw", "igw", "consumer"), aws_id("gw", "i", "server-1")
SERVER_INTERFACE = aws_id("gw", "eni", "server-1")


def routes(api: Any, table: str) -> dict[str, tuple[str, str]]:
    """Destination to target and state."""
    (found,) = api.call("ec2", "DescribeRouteTables", RouteTableIds=[table])["RouteTables"]
    return {route["DestinationCidrBlock"]: (route.get("GatewayId") or route["NetworkInterfaceId"], route["State"])
            for route in found["Routes"]}


def test_a_route_is_made_replaced_and_removed(lab_api: Any) -> None:
    made = lab_api.call("ec2", "CreateRoute", RouteTableId=APPLICATION, DestinationCidrBlock="198.51.100.7/24", GatewayId=GATEWAY)
    assert made == {"Return": True}
    assert routes(lab_api, APPLICATION) == {
        "10.0.0.0/16": ("local", "active"), "0.0.0.0/0": (ENDPOINT, "active"), "198.51.100.0/24": (GATEWAY, "active"),
    }
    lab_api.call("ec2", "ReplaceRoute", RouteTableId=APPLICATION, DestinationCidrBlock="198.51.100.0/24", InstanceId=SERVER)
    assert routes(lab_api, APPLICATION)["198.51.100.0/24"] == (SERVER_INTERFACE, "active")
    lab_api.call("ec2", "DeleteRoute", RouteTableId=APPLICATION, DestinationCidrBlock="198.51.100.0/24")
    assert "198.51.100.0/24" not in routes(lab_api, APPLICATION)
    assert [event["eventName"] for event in lab_api.events() if not event["readOnly"]] == ["CreateRoute", "ReplaceRoute", "DeleteRoute"]


def test_what_was_made_is_wired_in_the_lab(lab_api: Any) -> None:
    lab_api.call("ec2", "CreateRoute", RouteTableId=APPLICATION, DestinationCidrBlock="198.51.100.0/24",
                 NetworkInterfaceId=SERVER_INTERFACE)
    plan = wire("gw", lab_api.store.network(), host_mtu_bytes=8_500)
    (route,) = [route for route in plan.routes if route.destination == "198.51.100.0/24"]
    assert (route.namespace, route.device, route.gateway) == ("gw-consumer", "server-1", "10.0.2.11")


def test_a_route_whose_endpoint_went_is_a_blackhole(lab_api: Any) -> None:
    lab_api.import_network(replace(lab_api.inventory, endpoints=()))
    assert routes(lab_api, EDGE)["10.0.2.0/24"] == (ENDPOINT, "blackhole")


@pytest.mark.parametrize(("operation", "more", "code"), [
    ("CreateRoute", {"DestinationCidrBlock": "0.0.0.0/0", "VpcEndpointId": ENDPOINT}, "RouteAlreadyExists"),
    ("CreateRoute", {"DestinationCidrBlock": "10.0.0.0/16", "VpcEndpointId": ENDPOINT}, "RouteAlreadyExists"),
    ("CreateRoute", {"DestinationCidrBlock": "10.300.0.0/16", "VpcEndpointId": ENDPOINT}, "InvalidParameterValue"),
    ("CreateRoute", {"DestinationCidrBlock": "10.3.0.0", "VpcEndpointId": ENDPOINT}, "InvalidParameterValue"),
    ("CreateRoute", {"DestinationCidrBlock": "::/0", "VpcEndpointId": ENDPOINT}, "InvalidParameterValue"),
    ("CreateRoute", {"VpcEndpointId": ENDPOINT}, "MissingParameter"),
    ("CreateRoute", {"DestinationCidrBlock": "10.9.0.0/16"}, "MissingParameter"),
    ("CreateRoute", {"DestinationCidrBlock": "10.9.0.0/16", "VpcEndpointId": ENDPOINT, "GatewayId": GATEWAY},
     "InvalidParameterCombination"),
    ("CreateRoute", {"DestinationCidrBlock": "10.9.0.0/16", "VpcEndpointId": "vpce-1"}, "InvalidVpcEndpointId.NotFound"),
    ("CreateRoute", {"DestinationCidrBlock": "10.9.0.0/16", "GatewayId": "igw-1"}, "InvalidGatewayID.NotFound"),
    ("CreateRoute", {"DestinationCidrBlock": "10.9.0.0/16", "GatewayId": "local"}, "InvalidParameterValue"),
    ("CreateRoute", {"DestinationCidrBlock": "10.9.0.0/16", "NetworkInterfaceId": "eni-1"}, "InvalidNetworkInterfaceID.NotFound"),
    ("CreateRoute", {"DestinationCidrBlock": "10.9.0.0/16", "InstanceId": "i-1"}, "InvalidInstanceID.NotFound"),
    ("CreateRoute", {"DestinationCidrBlock": "10.9.0.0/16", "NatGatewayId": "nat-1"}, "InvalidParameterValue"),
    ("CreateRoute", {"RouteTableId": PROVIDER, "DestinationCidrBlock": "10.9.0.0/16", "VpcEndpointId": ENDPOINT}, "InvalidParameterValue"),
    ("CreateRoute", {"RouteTableId": EDGE, "DestinationCidrBlock": "10.9.0.0/16", "GatewayId": GATEWAY}, "InvalidParameterValue"),
    ("CreateRoute", {"DestinationCidrBlock": "10.9.0.0/16", "VpcEndpointId": ENDPOINT, "DryRun": True}, "DryRunOperation"),
    ("ReplaceRoute", {"DestinationCidrBlock": "10.9.0.0/16", "VpcEndpointId": ENDPOINT}, "InvalidParameterValue"),
    ("DeleteRoute", {"DestinationCidrBlock": "10.9.0.0/16"}, "InvalidRoute.NotFound"),
    ("DeleteRoute", {"DestinationCidrBlock": "10.0.0.0/16"}, "InvalidParameterValue"),
])
def test_refusals_change_nothing(lab_api: Any, operation: str, more: dict[str, Any], code: str) -> None:
    before = lab_api.store.network()
    with pytest.raises(Refused) as refused:
        lab_api.call("ec2", operation, **{"RouteTableId": APPLICATION} | more)
    assert refused.value.code == code
    assert lab_api.store.network() == before


def test_a_table_has_a_limit(lab_api: Any) -> None:
    edge, *others = lab_api.inventory.route_tables
    full = replace(edge, routes=tuple(Route(destination=f"10.9.{each}.0/24", target=ENDPOINT) for each in range(ROUTES_PER_TABLE_MAX)))
    lab_api.import_network(replace(lab_api.inventory, route_tables=(full, *others)))
    with pytest.raises(Refused, match="RouteLimitExceeded"):
        lab_api.call("ec2", "CreateRoute", RouteTableId=EDGE, DestinationCidrBlock="10.8.0.0/16", VpcEndpointId=ENDPOINT)
