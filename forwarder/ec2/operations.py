"""What ec2 serves: every operation, with the input members it knows what to do with."""

from __future__ import annotations

from typing import Final

from forwarder.control.operation import operation
from forwarder.ec2 import network, route_tables, routes

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
    "DescribeInternetGateways": operation(route_tables.describe_internet_gateways, "InternetGatewayIds", *_LISTING),
    "DescribeRouteTables": operation(route_tables.describe_route_tables, "RouteTableIds", *_LISTING),
    "CreateRouteTable": operation(route_tables.create_route_table, "VpcId", "TagSpecifications", "ClientToken", "DryRun"),
    "DeleteRouteTable": operation(route_tables.delete_route_table, "RouteTableId", "DryRun"),
    "AssociateRouteTable": operation(route_tables.associate_route_table, "RouteTableId", "SubnetId", "GatewayId", "DryRun"),
    "DisassociateRouteTable": operation(route_tables.disassociate_route_table, "AssociationId", "DryRun"),
    "ReplaceRouteTableAssociation": operation(
        route_tables.replace_route_table_association, "AssociationId", "RouteTableId", "DryRun"
    ),
    "CreateRoute": operation(routes.create_route, "RouteTableId", "DestinationCidrBlock", *routes.TARGETS, "DryRun"),
    "ReplaceRoute": operation(routes.replace_route, "RouteTableId", "DestinationCidrBlock", *routes.TARGETS, "DryRun"),
    "DeleteRoute": operation(routes.delete_route, "RouteTableId", "DestinationCidrBlock", "DryRun"),
}
