"""VPCs and subnets: made, taken away, and every reason for which they are not."""

from __future__ import annotations

from typing import Any

import pytest

from forwarder.ec2.vpcs import VPCS_MAX
from forwarder.lab.names import aws_id
from forwarder.lab.wiring import wire
from tests.forwarder.conftest import Refused
from tests.forwarder.ec2.conftest import SUBNET, VPC


def vpc(api: Any, block: str = "10.7.0.0/16") -> str:
    return str(api.call("ec2", "CreateVpc", CidrBlock=block)["Vpc"]["VpcId"])


def test_a_vpc_is_made_with_its_main_table_and_wired(lab_api: Any) -> None:
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "shop"}]}]
    made = lab_api.call("ec2", "CreateVpc", CidrBlock="10.7.3.4/16", TagSpecifications=tags)["Vpc"]
    assert (made["CidrBlock"], made["State"], made["Tags"]) == ("10.7.0.0/16", "available", [{"Key": "Name", "Value": "shop"}])
    assert lab_api.call("ec2", "DescribeVpcs", VpcIds=[made["VpcId"]])["Vpcs"] == [made]
    (table,) = lab_api.call("ec2", "DescribeRouteTables", Filters=[{"Name": "vpc-id", "Values": [made["VpcId"]]}])["RouteTables"]
    assert table["Associations"][0]["Main"] is True
    assert f"gw-{made['VpcId']}" in {each.name for each in wire("gw", lab_api.store.network(), host_mtu_bytes=8500).namespaces}
    lab_api.call("ec2", "DeleteVpc", VpcId=made["VpcId"])
    assert lab_api.store.network() == lab_api.inventory


def test_a_subnet_is_made_in_the_first_zone_unless_another_is_said(lab_api: Any) -> None:
    new = vpc(lab_api)
    first = lab_api.call("ec2", "CreateSubnet", VpcId=new, CidrBlock="10.7.0.0/24")["Subnet"]
    second = lab_api.call("ec2", "CreateSubnet", VpcId=new, CidrBlock="10.7.1.0/24", AvailabilityZoneId="use1-az2")["Subnet"]
    assert [(each["AvailabilityZone"], each["AvailabilityZoneId"]) for each in (first, second)] == [
        ("us-east-1a", "use1-az1"), ("us-east-1b", "use1-az2"),
    ]
    assert first["AvailableIpAddressCount"] == 251
    described = lab_api.call("ec2", "DescribeSubnets", Filters=[{"Name": "vpc-id", "Values": [new]}])["Subnets"]
    assert described == [first, second]


def test_a_deleted_subnet_takes_its_association_along(lab_api: Any) -> None:
    new = vpc(lab_api)
    subnet = lab_api.call("ec2", "CreateSubnet", VpcId=new, CidrBlock="10.7.0.0/24")["Subnet"]["SubnetId"]
    table = lab_api.call("ec2", "CreateRouteTable", VpcId=new)["RouteTable"]["RouteTableId"]
    lab_api.call("ec2", "AssociateRouteTable", RouteTableId=table, SubnetId=subnet)
    lab_api.call("ec2", "DeleteSubnet", SubnetId=subnet)
    (shown,) = lab_api.call("ec2", "DescribeRouteTables", RouteTableIds=[table])["RouteTables"]
    assert shown["Associations"] == []
    with pytest.raises(Refused) as refused:
        lab_api.call("ec2", "DeleteVpc", VpcId=new)
    assert refused.value.code == "DependencyViolation"
    lab_api.call("ec2", "DeleteRouteTable", RouteTableId=table)
    lab_api.call("ec2", "DeleteVpc", VpcId=new)


def test_a_subnet_with_a_load_balancer_stays(lab_api: Any) -> None:
    new = vpc(lab_api)
    subnet = lab_api.call("ec2", "CreateSubnet", VpcId=new, CidrBlock="10.7.0.0/24")["Subnet"]["SubnetId"]
    balancer = lab_api.load_balancer("shop", (subnet,))
    with pytest.raises(Refused) as refused:
        lab_api.call("ec2", "DeleteSubnet", SubnetId=subnet)
    assert refused.value.code == "DependencyViolation"
    lab_api.elbv2("DeleteLoadBalancer", LoadBalancerArn=balancer)
    lab_api.store.observe_network({"nodes": set()})
    lab_api.call("ec2", "DeleteSubnet", SubnetId=subnet)


@pytest.mark.parametrize(("operation", "parameters", "code"), [
    ("CreateVpc", {}, "MissingParameter"),
    ("CreateVpc", {"CidrBlock": "10.7.0.0"}, "InvalidVpc.Range"),
    ("CreateVpc", {"CidrBlock": "10.7.0.0/15"}, "InvalidVpc.Range"),
    ("CreateVpc", {"CidrBlock": "2001:db8::/64"}, "InvalidVpc.Range"),
    ("CreateVpc", {"CidrBlock": "ten"}, "InvalidParameterValue"),
    ("CreateVpc", {"CidrBlock": "10.7.0.0/16", "InstanceTenancy": "dedicated"}, "InvalidParameterValue"),
    ("CreateVpc", {"CidrBlock": "10.7.0.0/16", "DryRun": True}, "DryRunOperation"),
    ("DeleteVpc", {"VpcId": VPC}, "DependencyViolation"),
    ("DeleteVpc", {"VpcId": "vpc-1"}, "InvalidVpcID.NotFound"),
    ("CreateSubnet", {"VpcId": VPC, "CidrBlock": "10.8.0.0/24"}, "InvalidSubnet.Range"),
    ("CreateSubnet", {"VpcId": VPC, "CidrBlock": "10.0.9.0/29"}, "InvalidSubnet.Range"),
    ("CreateSubnet", {"VpcId": VPC, "CidrBlock": "10.0.2.128/25"}, "InvalidSubnet.Conflict"),
    ("CreateSubnet", {"VpcId": VPC, "CidrBlock": "10.0.9.0/24", "AvailabilityZone": "us-east-1z"}, "InvalidParameterValue"),
    ("CreateSubnet", {"VpcId": VPC, "CidrBlock": "10.0.9.0/24", "DryRun": True}, "DryRunOperation"),
    ("DeleteSubnet", {"SubnetId": SUBNET}, "DependencyViolation"),
    ("DeleteSubnet", {"SubnetId": "subnet-1"}, "InvalidSubnetID.NotFound"),
])
def test_refusals_change_nothing(lab_api: Any, operation: str, parameters: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        lab_api.call("ec2", operation, **parameters)
    assert refused.value.code == code
    assert lab_api.store.network() == lab_api.inventory


def test_there_is_a_most_of_vpcs(lab_api: Any) -> None:
    for number in range(VPCS_MAX - 2):  # the lab has two
        vpc(lab_api, f"172.16.{number}.0/24")
    with pytest.raises(Refused) as refused:
        vpc(lab_api)
    assert refused.value.code == "VpcLimitExceeded"


def test_the_labs_names_are_its_own() -> None:
    assert aws_id("gw", "vpc", "consumer") == VPC
