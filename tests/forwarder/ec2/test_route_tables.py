"""Route tables: made, associated, listed and deleted."""

from __future__ import annotations

from typing import Any

import pytest

from forwarder.ec2 import route_tables
from forwarder.ec2.route_tables import association_id
from forwarder.lab.names import aws_id
from tests.forwarder.conftest import Refused

VPC, PROVIDER_VPC = aws_id("gw", "vpc", "consumer"), aws_id("gw", "vpc", "provider")
EDGE, APPLICATION, PROVIDER = (aws_id("gw", "rtb", name) for name in ("edge", "application", "provider"))
SUBNET, GATEWAY = aws_id("gw", "subnet", "application"), aws_id("gw", "igw", "consumer")


def table(api: Any, table_id: str) -> dict[str, Any]:
    (found,) = api.call("ec2", "DescribeRouteTables", RouteTableIds=[table_id])["RouteTables"]
    return dict(found)


def made(api: Any, vpc: str = VPC, **more: Any) -> str:
    return str(api.call("ec2", "CreateRouteTable", VpcId=vpc, **more)["RouteTable"]["RouteTableId"])


def test_a_new_table_has_the_local_route_alone(lab_api: Any) -> None:
    tags = [{"ResourceType": "route-table", "Tags": [{"Key": "Name", "Value": "new"}]}]
    created = lab_api.call("ec2", "CreateRouteTable", VpcId=VPC, TagSpecifications=tags)["RouteTable"]
    assert created == table(lab_api, created["RouteTableId"])
    assert created == {
        "RouteTableId": created["RouteTableId"], "VpcId": VPC, "OwnerId": "123456789012", "PropagatingVgws": [], "Associations": [],
        "Tags": [{"Key": "Name", "Value": "new"}],
        "Routes": [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"}],
    }


def test_the_same_request_again_finds_the_table_it_made(lab_api: Any) -> None:
    first = lab_api.call("ec2", "CreateRouteTable", VpcId=VPC, ClientToken="t")
    assert first["ClientToken"] == "t"
    assert lab_api.call("ec2", "CreateRouteTable", VpcId=VPC, ClientToken="t") == first
    assert made(lab_api, ClientToken="other") != first["RouteTable"]["RouteTableId"]
    with pytest.raises(Refused, match="IdempotentParameterMismatch"):
        made(lab_api, PROVIDER_VPC, ClientToken="t")


def test_tables_are_found_by_what_they_are_associated_with(lab_api: Any) -> None:
    def found(name: str, value: str) -> list[str]:
        answer = lab_api.call("ec2", "DescribeRouteTables", Filters=[{"Name": name, "Values": [value]}])
        return [each["RouteTableId"] for each in answer["RouteTables"]]

    assert found("association.gateway-id", GATEWAY) == [EDGE]
    assert found("association.subnet-id", SUBNET) == [APPLICATION]
    assert found("association.main", "true") == [PROVIDER]
    assert found("route.gateway-id", aws_id("gw", "vpce", "endpoint")) == [EDGE, APPLICATION]
    assert found("tag:Name", "edge") == [EDGE]


def test_a_subnet_gets_another_table(lab_api: Any) -> None:
    new = made(lab_api)
    answer = lab_api.call("ec2", "ReplaceRouteTableAssociation", AssociationId=association_id(APPLICATION, SUBNET), RouteTableId=new)
    assert answer == {"NewAssociationId": association_id(new, SUBNET), "AssociationState": {"State": "associated"}}
    assert table(lab_api, APPLICATION)["Associations"] == []
    assert [each["SubnetId"] for each in table(lab_api, new)["Associations"]] == [SUBNET]
    lab_api.call("ec2", "DisassociateRouteTable", AssociationId=answer["NewAssociationId"])
    assert table(lab_api, new)["Associations"] == []
    again = lab_api.call("ec2", "AssociateRouteTable", RouteTableId=new, SubnetId=SUBNET)
    assert again == lab_api.call("ec2", "AssociateRouteTable", RouteTableId=new, SubnetId=SUBNET), "it has it already"
    with pytest.raises(Refused, match="DependencyViolation"):
        lab_api.call("ec2", "DeleteRouteTable", RouteTableId=new)
    lab_api.call("ec2", "DisassociateRouteTable", AssociationId=again["AssociationId"])
    lab_api.call("ec2", "DeleteRouteTable", RouteTableId=new)
    with pytest.raises(Refused, match=r"InvalidRouteTableID\.NotFound"):
        table(lab_api, new)


def test_a_vpc_gets_another_main_table(lab_api: Any) -> None:
    new = made(lab_api, PROVIDER_VPC)
    lab_api.call("ec2", "ReplaceRouteTableAssociation", AssociationId=association_id(PROVIDER, "main"), RouteTableId=new)
    assert [each["Main"] for each in table(lab_api, new)["Associations"]] == [True]
    assert table(lab_api, PROVIDER)["Associations"] == []
    lab_api.call("ec2", "DeleteRouteTable", RouteTableId=PROVIDER)


def test_a_gateways_table_may_not_lead_to_a_gateway(lab_api: Any) -> None:
    new = made(lab_api)
    lab_api.call("ec2", "CreateRoute", RouteTableId=new, DestinationCidrBlock="0.0.0.0/0", GatewayId=GATEWAY)
    with pytest.raises(Refused, match=r"InvalidParameterValue.*leads to one"):
        lab_api.call("ec2", "ReplaceRouteTableAssociation", AssociationId=association_id(EDGE, GATEWAY), RouteTableId=new)


@pytest.mark.parametrize(("operation", "parameters", "code"), [
    ("AssociateRouteTable", {"RouteTableId": EDGE, "SubnetId": SUBNET}, "Resource.AlreadyAssociated"),
    ("AssociateRouteTable", {"RouteTableId": EDGE}, "MissingParameter"),
    ("AssociateRouteTable", {"RouteTableId": EDGE, "SubnetId": SUBNET, "GatewayId": GATEWAY}, "InvalidParameterCombination"),
    ("AssociateRouteTable", {"RouteTableId": EDGE, "SubnetId": "subnet-1"}, "InvalidSubnetID.NotFound"),
    ("AssociateRouteTable", {"RouteTableId": EDGE, "GatewayId": "igw-1"}, "InvalidGatewayID.NotFound"),
    ("AssociateRouteTable", {"RouteTableId": PROVIDER, "SubnetId": SUBNET}, "InvalidParameterValue"),
    ("DisassociateRouteTable", {"AssociationId": "rtbassoc-1"}, "InvalidAssociationID.NotFound"),
    ("DisassociateRouteTable", {"AssociationId": association_id(PROVIDER, "main")}, "InvalidParameterValue"),
    ("ReplaceRouteTableAssociation", {"AssociationId": association_id(EDGE, GATEWAY), "RouteTableId": PROVIDER}, "InvalidParameterValue"),
    ("DeleteRouteTable", {"RouteTableId": PROVIDER}, "DependencyViolation"),
    ("CreateRouteTable", {"VpcId": VPC, "TagSpecifications": [
        {"ResourceType": "route-table", "Tags": [{"Key": "aws:team", "Value": "x"}]}]}, "InvalidParameterValue"),
    ("CreateRouteTable", {"VpcId": VPC, "TagSpecifications": [{"ResourceType": "subnet", "Tags": []}]}, "InvalidParameterValue"),
])
def test_refusals_change_nothing(lab_api: Any, operation: str, parameters: dict[str, Any], code: str) -> None:
    before = lab_api.store.network()
    with pytest.raises(Refused) as refused:
        lab_api.call("ec2", operation, **parameters)
    assert refused.value.code == code
    assert lab_api.store.network() == before


def test_a_vpc_has_a_limit_of_tables(lab_api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route_tables, "TABLES_PER_VPC_MAX", 3)
    with pytest.raises(Refused, match="RouteTableLimitExceeded"):
        made(lab_api)


def test_internet_gateways(lab_api: Any) -> None:
    (gateway,) = lab_api.call("ec2", "DescribeInternetGateways")["InternetGateways"]
    assert (gateway["InternetGatewayId"], gateway["Attachments"]) == (GATEWAY, [{"State": "available", "VpcId": VPC}])
