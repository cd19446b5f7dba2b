"""The inventory in ec2's shapes."""

from __future__ import annotations

from typing import Any

VPC = "vpc-0aa11aa11aa11aa11"


def test_zones(api: Any) -> None:
    found = api.call("ec2", "DescribeAvailabilityZones", ZoneIds=["use1-az2"])["AvailabilityZones"]
    assert [(zone["ZoneName"], zone["State"]) for zone in found] == [("us-east-1b", "available")]
    assert len(api.call("ec2", "DescribeAvailabilityZones")["AvailabilityZones"]) == 3


def test_vpcs(api: Any) -> None:
    (vpc,) = api.call("ec2", "DescribeVpcs", Filters=[{"Name": "tag:Name", "Values": ["prov*"]}])["Vpcs"]
    assert vpc == {
        "VpcId": VPC, "CidrBlock": "10.1.0.0/16", "State": "available", "OwnerId": "123456789012", "IsDefault": False,
        "InstanceTenancy": "default", "Tags": [{"Key": "Name", "Value": "provider"}],
    }


def test_subnets_tell_how_many_addresses_are_free(api: Any) -> None:
    (subnet,) = api.call("ec2", "DescribeSubnets", SubnetIds=["subnet-0a000000000000002"])["Subnets"]
    assert (subnet["AvailabilityZone"], subnet["AvailabilityZoneId"]) == ("us-east-1b", "use1-az2")
    assert subnet["AvailableIpAddressCount"] == 256 - 5 - 3


def test_instances(api: Any) -> None:
    stopped = {"Name": "instance-state-name", "Values": ["stopped"]}
    (reservation,) = api.call("ec2", "DescribeInstances", Filters=[stopped])["Reservations"]
    (instance,) = reservation["Instances"]
    assert (instance["InstanceId"], instance["State"]) == ("i-0a000000000000003", {"Code": 80, "Name": "stopped"})
    assert instance["VpcId"] == VPC


def test_interfaces_of_the_balancer_carry_its_name(api: Any) -> None:
    api.load_balancer(subnets=("subnet-0a000000000000001",))
    kind = {"Name": "interface-type", "Values": ["gateway_load_balancer*"]}
    found = api.call("ec2", "DescribeNetworkInterfaces", Filters=[kind])["NetworkInterfaces"]
    assert [(item["NetworkInterfaceId"], item["InterfaceType"], item["Description"]) for item in found] == [
        ("eni-0a00000000000000a", "gateway_load_balancer", "ELB gwy/gw/0000000000000001"),
        ("eni-0a00000000000000b", "gateway_load_balancer", ""),
        ("eni-0b00000000000000e", "gateway_load_balancer_endpoint", "VPC Endpoint Interface vpce-0b000000000000001"),
    ]
    attached = {"Name": "attachment.instance-id", "Values": ["i-0a000000000000001"]}
    (own,) = api.call("ec2", "DescribeNetworkInterfaces", Filters=[attached])["NetworkInterfaces"]
    assert own["PrivateIpAddress"] == "10.1.1.11"
