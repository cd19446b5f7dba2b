"""What ec2 serves: every operation, with the input members it knows what to do with."""

from __future__ import annotations

from typing import Final

from forwarder.control.operation import operation
from forwarder.ec2 import network

_LISTING: Final = ("Filters", "MaxResults", "NextToken", "DryRun")

OPERATIONS: Final = {
    "DescribeAvailabilityZones": operation(
        network.describe_availability_zones, "ZoneNames", "ZoneIds", "AllAvailabilityZones", "Filters", "DryRun"
    ),
    "DescribeVpcs": operation(network.describe_vpcs, "VpcIds", *_LISTING),
    "DescribeSubnets": operation(network.describe_subnets, "SubnetIds", *_LISTING),
    "DescribeInstances": operation(network.describe_instances, "InstanceIds", *_LISTING),
    "DescribeNetworkInterfaces": operation(network.describe_network_interfaces, "NetworkInterfaceIds", *_LISTING),
    "DescribeVpcEndpoints": operation(network.describe_vpc_endpoints, "VpcEndpointIds", *_LISTING),
}
