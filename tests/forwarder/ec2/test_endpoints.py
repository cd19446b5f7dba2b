"""Gateway endpoints: made for a service, shown, taken away, and every reason for which they are not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from forwarder.ec2.endpoints import ENDPOINTS_PER_VPC_MAX
from forwarder.inventory import Attachment, Subnet
from forwarder.lab.names import aws_id
from tests.forwarder.conftest import Refused
from tests.forwarder.ec2.conftest import SUBNET, VPC, Served

PROVIDER_SUBNET = aws_id("gw", "subnet", "provider-a")


def test_an_endpoint_of_the_inventory_has_no_service(api: Any) -> None:
    (endpoint,) = api.call("ec2", "DescribeVpcEndpoints")["VpcEndpoints"]
    assert endpoint["State"] == "pending", "the forwarder has not told of its device"
    api.store.observe_network({"endpoints": {"vpce-0b000000000000001"}})
    (endpoint,) = api.call("ec2", "DescribeVpcEndpoints")["VpcEndpoints"]
    assert endpoint == {
        "VpcEndpointId": "vpce-0b000000000000001", "VpcEndpointType": "GatewayLoadBalancer",
        "VpcId": "vpc-0bb22bb22bb22bb22", "State": "available", "SubnetIds": ["subnet-0b000000000000001"],
        "NetworkInterfaceIds": ["eni-0b00000000000000e"], "IpAddressType": "ipv4", "RequesterManaged": False,
        "OwnerId": "123456789012", "Tags": [], "RouteTableIds": [], "Groups": [], "PrivateDnsEnabled": False, "DnsEntries": [],
    }


def test_an_endpoint_is_pending_until_its_device_is_there(served: Served) -> None:
    made = served.endpoint(TagSpecifications=[{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "Name", "Value": "way in"}]}])
    endpoint = made["VpcEndpointId"]
    assert (made["State"], made["ServiceName"], made["SubnetIds"], made["VpcId"]) == ("pending", served.name, [SUBNET], VPC)
    assert made["Tags"] == [{"Key": "Name", "Value": "way in"}]
    assert made["CreationTimestamp"].isoformat() == "2026-11-01T10:00:00+00:00"
    (interface,) = served.api.call("ec2", "DescribeNetworkInterfaces", NetworkInterfaceIds=made["NetworkInterfaceIds"])["NetworkInterfaces"]
    assert (interface["InterfaceType"], interface["PrivateIpAddress"]) == ("gateway_load_balancer_endpoint", "10.0.2.4")
    assert served.api.store.attach(endpoint, Attachment(device="eth7", router_mac="02:00:00:00:00:01"))
    served.api.store.observe_network({"endpoints": {endpoint}})
    assert served.endpoints(Filters=[{"Name": "service-name", "Values": [served.name]}]) == [made | {"State": "available"}]


def test_each_endpoint_has_an_address_of_its_own(served: Served) -> None:
    made = [served.endpoint() for _ in range(3)]
    addresses = {endpoint.id: endpoint.address for endpoint in served.api.store.network().endpoints}
    assert [addresses[endpoint["VpcEndpointId"]] for endpoint in made] == ["10.0.2.4", "10.0.2.5", "10.0.2.6"]


def test_the_same_request_again_finds_what_it_made(served: Served) -> None:
    assert served.endpoint(ClientToken="once") == served.endpoint(ClientToken="once")
    assert len(served.endpoints()) == 1
    with pytest.raises(Refused) as refused:
        served.endpoint(ClientToken="once", SubnetIds=[aws_id("gw", "subnet", "endpoint")])
    assert refused.value.code == "IdempotentParameterMismatch"


def test_an_endpoint_waits_for_the_owner_of_its_service(served: Served) -> None:
    served.api.call("ec2", "ModifyVpcEndpointServiceConfiguration", ServiceId=served.service, AcceptanceRequired=True)
    assert served.endpoint()["State"] == "pendingAcceptance"


def test_a_deleted_endpoint_leaves_a_blackhole(served: Served) -> None:
    endpoint = served.endpoint()["VpcEndpointId"]
    table = aws_id("gw", "rtb", "application")
    served.api.call("ec2", "CreateRoute", RouteTableId=table, DestinationCidrBlock="198.51.100.0/24", VpcEndpointId=endpoint)
    answer = served.api.call("ec2", "DeleteVpcEndpoints", VpcEndpointIds=[endpoint, "vpce-1"])
    assert [(each["ResourceId"], each["Error"]["Code"]) for each in answer["Unsuccessful"]] == [
        ("vpce-1", "InvalidVpcEndpoint.NotFound"),
    ]
    assert served.endpoints() == []
    (shown,) = served.api.call("ec2", "DescribeRouteTables", RouteTableIds=[table])["RouteTables"]
    assert [route["State"] for route in shown["Routes"] if route["DestinationCidrBlock"] == "198.51.100.0/24"] == ["blackhole"]


@pytest.mark.parametrize(("parameters", "code"), [
    ({"VpcEndpointType": "Interface"}, "InvalidParameter"),
    ({"IpAddressType": "dualstack"}, "InvalidParameter"),
    ({"VpcId": "vpc-1"}, "InvalidVpcID.NotFound"),
    ({"SubnetIds": []}, "InvalidParameter"),
    ({"SubnetIds": [SUBNET, aws_id("gw", "subnet", "endpoint")]}, "InvalidParameter"),
    ({"SubnetIds": ["subnet-1"]}, "InvalidSubnetID.NotFound"),
    ({"SubnetIds": [PROVIDER_SUBNET]}, "InvalidParameter"),
    ({"ServiceName": "com.amazonaws.vpce.us-east-1.vpce-svc-1"}, "InvalidServiceName"),
    ({"ServiceName": ""}, "MissingParameter"),
    ({"TagSpecifications": [{"ResourceType": "subnet", "Tags": [{"Key": "a", "Value": "b"}]}]}, "InvalidParameterValue"),
    ({"SecurityGroupIds": ["sg-1"]}, "InvalidParameterValue"),
    ({"DryRun": True}, "DryRunOperation"),
])
def test_refusals_change_nothing(served: Served, parameters: dict[str, Any], code: str) -> None:
    before = served.api.store.network()
    with pytest.raises(Refused) as refused:
        served.endpoint(**parameters)
    assert refused.value.code == code
    assert served.api.store.network() == before


def test_a_zone_without_a_load_balancer_has_no_endpoints(served: Served) -> None:
    network = served.api.inventory
    lonely = Subnet(id="subnet-lonely", vpc_id=VPC, cidr="10.0.9.0/24", zone="us-east-1c")
    served.api.import_network(replace(network, zones=(*network.zones, replace(network.zones[0], name="us-east-1c", id="use1-az3")),
                                      subnets=(*network.subnets, lonely)))
    with pytest.raises(Refused, match="does not support the availability zone") as refused:
        served.endpoint(SubnetIds=[lonely.id])
    assert refused.value.code == "InvalidParameter"


def test_a_subnet_without_a_free_address_has_no_room(served: Served) -> None:
    network = served.api.inventory
    small = Subnet(id="subnet-small", vpc_id=VPC, cidr="10.0.9.0/29", zone=network.zones[0].name)
    served.api.import_network(replace(network, subnets=(*network.subnets, small)))
    for _ in range(3):
        served.endpoint(SubnetIds=[small.id])
    with pytest.raises(Refused) as refused:
        served.endpoint(SubnetIds=[small.id])
    assert refused.value.code == "InsufficientFreeAddressesInSubnet"


def test_a_vpc_has_a_most_of_endpoints(served: Served) -> None:
    for _ in range(ENDPOINTS_PER_VPC_MAX - 1):  # the lab has one
        served.endpoint()
    with pytest.raises(Refused) as refused:
        served.endpoint()
    assert refused.value.code == "VpcEndpointLimitExceeded"
