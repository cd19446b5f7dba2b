"""What ec2 serves: every operation, with the input members it knows what to do with."""

from __future__ import annotations

from typing import Final

from forwarder.control.operation import operation
from forwarder.ec2 import (
    endpoint_connections,
    endpoint_services,
    endpoints,
    images,
    instances,
    internet_gateways,
    network,
    route_tables,
    routes,
    tags,
    vpcs,
)

_LISTING: Final = ("Filters", "MaxResults", "NextToken", "DryRun")

OPERATIONS: Final = {
    "DescribeAvailabilityZones": operation(
        network.describe_availability_zones, "ZoneNames", "ZoneIds", "AllAvailabilityZones", "Filters", "DryRun"
    ),
    "DescribeVpcs": operation(network.describe_vpcs, "VpcIds", *_LISTING),
    "DescribeSubnets": operation(network.describe_subnets, "SubnetIds", *_LISTING),
    "DescribeInstances": operation(network.describe_instances, "InstanceIds", *_LISTING),
    "DescribeImages": operation(images.describe_images, "ImageIds", "Owners", *_LISTING),
    "RunInstances": operation(
        instances.run_instances, "ImageId", "SubnetId", "MinCount", "MaxCount", "PrivateIpAddress", "TagSpecifications",
        "ClientToken", "DryRun"
    ),
    "StopInstances": operation(instances.stop_instances, "InstanceIds", "DryRun"),
    "StartInstances": operation(instances.start_instances, "InstanceIds", "DryRun"),
    "TerminateInstances": operation(instances.terminate_instances, "InstanceIds", "DryRun"),
    "DescribeNetworkInterfaces": operation(network.describe_network_interfaces, "NetworkInterfaceIds", *_LISTING),
    "CreateTags": operation(tags.create_tags, "Resources", "Tags", "DryRun"),
    "DeleteTags": operation(tags.delete_tags, "Resources", "Tags", "DryRun"),
    "DescribeTags": operation(tags.describe_tags, *_LISTING),
    "CreateVpcEndpointServiceConfiguration": operation(
        endpoint_services.create_vpc_endpoint_service_configuration, "GatewayLoadBalancerArns", "NetworkLoadBalancerArns", "PrivateDnsName",
        "AcceptanceRequired", "SupportedIpAddressTypes", "ClientToken", "TagSpecifications", "DryRun"
    ),
    "DescribeVpcEndpointServiceConfigurations": operation(
        endpoint_services.describe_vpc_endpoint_service_configurations, "ServiceIds", *_LISTING
    ),
    "ModifyVpcEndpointServiceConfiguration": operation(
        endpoint_services.modify_vpc_endpoint_service_configuration, "ServiceId", "AcceptanceRequired", "AddGatewayLoadBalancerArns",
        "RemoveGatewayLoadBalancerArns", "AddNetworkLoadBalancerArns", "PrivateDnsName", "AddSupportedIpAddressTypes", "DryRun"
    ),
    "DeleteVpcEndpointServiceConfigurations": operation(
        endpoint_services.delete_vpc_endpoint_service_configurations, "ServiceIds", "DryRun"
    ),
    "DescribeVpcEndpointServices": operation(endpoint_services.describe_vpc_endpoint_services, "ServiceNames", *_LISTING),
    "ModifyVpcEndpointServicePermissions": operation(
        endpoint_connections.modify_vpc_endpoint_service_permissions, "ServiceId", "AddAllowedPrincipals", "RemoveAllowedPrincipals",
        "DryRun"
    ),
    "DescribeVpcEndpointServicePermissions": operation(
        endpoint_connections.describe_vpc_endpoint_service_permissions, "ServiceId", *_LISTING
    ),
    "DescribeVpcEndpointConnections": operation(endpoint_connections.describe_vpc_endpoint_connections, *_LISTING),
    "AcceptVpcEndpointConnections": operation(
        endpoint_connections.accept_vpc_endpoint_connections, "ServiceId", "VpcEndpointIds", "DryRun"
    ),
    "RejectVpcEndpointConnections": operation(
        endpoint_connections.reject_vpc_endpoint_connections, "ServiceId", "VpcEndpointIds", "DryRun"
    ),
    "CreateVpcEndpoint": operation(
        endpoints.create_vpc_endpoint, "VpcEndpointType", "VpcId", "ServiceName", "SubnetIds", "IpAddressType", "ClientToken",
        "TagSpecifications", "DryRun"
    ),
    "DescribeVpcEndpoints": operation(endpoints.describe_vpc_endpoints, "VpcEndpointIds", *_LISTING),
    "DeleteVpcEndpoints": operation(endpoints.delete_vpc_endpoints, "VpcEndpointIds", "DryRun"),
    "DescribeInternetGateways": operation(internet_gateways.describe_internet_gateways, "InternetGatewayIds", *_LISTING),
    "CreateInternetGateway": operation(internet_gateways.create_internet_gateway, "TagSpecifications", "DryRun"),
    "AttachInternetGateway": operation(internet_gateways.attach_internet_gateway, "InternetGatewayId", "VpcId", "DryRun"),
    "DetachInternetGateway": operation(internet_gateways.detach_internet_gateway, "InternetGatewayId", "VpcId", "DryRun"),
    "DeleteInternetGateway": operation(internet_gateways.delete_internet_gateway, "InternetGatewayId", "DryRun"),
    "CreateVpc": operation(vpcs.create_vpc, "CidrBlock", "InstanceTenancy", "TagSpecifications", "DryRun"),
    "DeleteVpc": operation(vpcs.delete_vpc, "VpcId", "DryRun"),
    "CreateSubnet": operation(
        vpcs.create_subnet, "VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId", "TagSpecifications", "DryRun"
    ),
    "DeleteSubnet": operation(vpcs.delete_subnet, "SubnetId", "DryRun"),
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
