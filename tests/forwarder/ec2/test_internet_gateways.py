"""Internet gateways: made, attached, detached, taken away."""

from __future__ import annotations

from typing import Any

import pytest

from forwarder.ec2.internet_gateways import GATEWAYS_MAX
from forwarder.lab.names import aws_id
from forwarder.lab.wiring import wire
from tests.forwarder.conftest import Refused
from tests.forwarder.ec2.conftest import VPC

GATEWAY, PROVIDER = aws_id("gw", "igw", "consumer"), aws_id("gw", "vpc", "provider")


def attachments(api: Any, gateway: str) -> list[dict[str, str]]:
    (found,) = api.call("ec2", "DescribeInternetGateways", InternetGatewayIds=[gateway])["InternetGateways"]
    return list(found["Attachments"])


def test_a_gateway_is_made_attached_detached_and_deleted(lab_api: Any) -> None:
    made = lab_api.call("ec2", "CreateInternetGateway")["InternetGateway"]["InternetGatewayId"]
    assert attachments(lab_api, made) == []
    links = len(wire("gw", lab_api.store.network(), host_mtu_bytes=8500).links)
    lab_api.call("ec2", "AttachInternetGateway", InternetGatewayId=made, VpcId=PROVIDER)
    assert attachments(lab_api, made) == [{"State": "available", "VpcId": PROVIDER}]
    assert len(wire("gw", lab_api.store.network(), host_mtu_bytes=8500).links) == links + 1
    with pytest.raises(Refused) as refused:
        lab_api.call("ec2", "DeleteInternetGateway", InternetGatewayId=made)
    assert refused.value.code == "DependencyViolation"
    lab_api.call("ec2", "DetachInternetGateway", InternetGatewayId=made, VpcId=PROVIDER)
    lab_api.call("ec2", "DeleteInternetGateway", InternetGatewayId=made)
    assert lab_api.store.network() == lab_api.inventory


@pytest.mark.parametrize(("operation", "parameters", "code"), [
    ("AttachInternetGateway", {"InternetGatewayId": GATEWAY, "VpcId": PROVIDER}, "Resource.AlreadyAssociated"),
    ("AttachInternetGateway", {"InternetGatewayId": "igw-1", "VpcId": PROVIDER}, "InvalidInternetGatewayID.NotFound"),
    ("DetachInternetGateway", {"InternetGatewayId": GATEWAY, "VpcId": PROVIDER}, "Gateway.NotAttached"),
    ("DetachInternetGateway", {"InternetGatewayId": GATEWAY, "VpcId": VPC}, "DependencyViolation"),
    ("DeleteInternetGateway", {"InternetGatewayId": "igw-1"}, "InvalidInternetGatewayID.NotFound"),
    ("CreateInternetGateway", {"DryRun": True}, "DryRunOperation"),
])
def test_refusals_change_nothing(lab_api: Any, operation: str, parameters: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        lab_api.call("ec2", operation, **parameters)
    assert refused.value.code == code
    assert lab_api.store.network() == lab_api.inventory


def test_a_vpc_has_one_gateway_and_the_internet_one_vpc_of_a_block(lab_api: Any) -> None:
    made = lab_api.call("ec2", "CreateInternetGateway")["InternetGateway"]["InternetGatewayId"]
    twin = lab_api.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/20")["Vpc"]["VpcId"]
    for vpc, code in ((VPC, "Resource.AlreadyAssociated"), (twin, "UnsupportedOperation")):
        with pytest.raises(Refused) as refused:
            lab_api.call("ec2", "AttachInternetGateway", InternetGatewayId=made, VpcId=vpc)
        assert refused.value.code == code


def test_there_is_a_most_of_gateways(lab_api: Any) -> None:
    for _ in range(GATEWAYS_MAX - 1):
        lab_api.call("ec2", "CreateInternetGateway")
    with pytest.raises(Refused) as refused:
        lab_api.call("ec2", "CreateInternetGateway")
    assert refused.value.code == "InternetGatewayLimitExceeded"
