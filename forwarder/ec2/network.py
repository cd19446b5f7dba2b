"""The network as ec2 shows it: zones, VPCs, subnets, instances and network interfaces.

Only what the state store knows is shown; what it does not know (images, launch times, security groups)
is left out rather than made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from forwarder.control.addresses import free_addresses
from forwarder.control.context import Context
from forwarder.ec2.images import image_member
from forwarder.ec2.listing import Item, Listing, tag_filters, values_at
from forwarder.ec2.tags import tags_of
from forwarder.inventory import Instance, Inventory, Subnet, Vpc
from gatewatch.aws.error import AwsError

#: EC2's codes of instance states (`InstanceState`).
STATE_CODES: Final = {
    "pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80,
}

_ZONES: Final = Listing(
    ids_member="ZoneNames", id_member="ZoneName", not_found="InvalidParameterValue", what="zone",
    filters={
        "zone-name": values_at("ZoneName"), "zone-id": values_at("ZoneId"), "state": values_at("State"),
        "region-name": values_at("RegionName"), "zone-type": values_at("ZoneType"),
        "opt-in-status": values_at("OptInStatus"),
    },
)
_VPCS: Final = Listing(
    ids_member="VpcIds", id_member="VpcId", not_found="InvalidVpcID.NotFound", what="vpc ID",
    filters={
        "vpc-id": values_at("VpcId"), "cidr": values_at("CidrBlock"), "state": values_at("State"),
        "owner-id": values_at("OwnerId"), "is-default": values_at("IsDefault"), **tag_filters(),
    },
)
_SUBNETS: Final = Listing(
    ids_member="SubnetIds", id_member="SubnetId", not_found="InvalidSubnetID.NotFound", what="subnet ID",
    filters={
        "subnet-id": values_at("SubnetId"), "vpc-id": values_at("VpcId"), "state": values_at("State"),
        "availability-zone": values_at("AvailabilityZone"), "availability-zone-id": values_at("AvailabilityZoneId"),
        "cidr-block": values_at("CidrBlock"), "owner-id": values_at("OwnerId"), **tag_filters(),
    },
)
_INSTANCES: Final = Listing(
    ids_member="InstanceIds", id_member="InstanceId", not_found="InvalidInstanceID.NotFound", what="instance ID",
    filters={
        "instance-id": values_at("InstanceId"), "vpc-id": values_at("VpcId"), "subnet-id": values_at("SubnetId"),
        "instance-state-name": values_at("State", "Name"), "private-ip-address": values_at("PrivateIpAddress"),
        "availability-zone": values_at("Placement", "AvailabilityZone"), **tag_filters(),
    },
)
_INTERFACES: Final = Listing(
    ids_member="NetworkInterfaceIds", id_member="NetworkInterfaceId", not_found="InvalidNetworkInterfaceID.NotFound",
    what="networkInterface ID",
    filters={
        "network-interface-id": values_at("NetworkInterfaceId"), "vpc-id": values_at("VpcId"),
        "subnet-id": values_at("SubnetId"), "interface-type": values_at("InterfaceType"),
        "status": values_at("Status"), "private-ip-address": values_at("PrivateIpAddress"),
        "availability-zone": values_at("AvailabilityZone"), "description": values_at("Description"),
        "attachment.instance-id": values_at("Attachment", "InstanceId"), **tag_filters("TagSet"),
    },
)


def describe_availability_zones(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeAvailabilityZones."""
    zone_ids = set(parameters.get("ZoneIds") or ())
    unknown = zone_ids - {zone.id for zone in context.inventory.zones}
    if unknown:
        raise AwsError("InvalidParameterValue", f"Invalid availability zone-id: [{', '.join(sorted(unknown))[:300]}]")
    items: list[Item] = [
        {
            "ZoneName": zone.name, "ZoneId": zone.id, "State": "available", "RegionName": context.region,
            "ZoneType": "availability-zone", "OptInStatus": "opt-in-not-required", "GroupName": context.region,
            "NetworkBorderGroup": context.region, "Messages": [],
        }
        for zone in context.inventory.zones if not zone_ids or zone.id in zone_ids
    ]
    return {"AvailabilityZones": _ZONES.select(items, parameters)[0]}


def describe_vpcs(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeVpcs."""
    page, more = _VPCS.select([vpc_item(context, vpc) for vpc in context.inventory.vpcs], parameters)
    return {"Vpcs": page, **more}


def describe_subnets(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeSubnets."""
    page, more = _SUBNETS.select([subnet_item(context, subnet, subnet.zone) for subnet in context.inventory.subnets], parameters)
    return {"Subnets": page, **more}


def vpc_item(context: Context, vpc: Vpc) -> Item:
    """A VPC as it is shown."""
    return {
        "VpcId": vpc.id, "CidrBlock": vpc.cidr, "State": "available", "OwnerId": context.account_id,
        "IsDefault": False, "InstanceTenancy": "default", "Tags": tags_of(context, vpc.id, vpc.name),
    }


def subnet_item(context: Context, subnet: Subnet, zone: str) -> Item:
    """A subnet as it is shown."""
    return {
        "SubnetId": subnet.id, "VpcId": subnet.vpc_id, "CidrBlock": subnet.cidr, "State": "available",
        "AvailabilityZone": zone, "AvailabilityZoneId": context.inventory.zone_id(zone),
        "AvailableIpAddressCount": free_addresses(context.inventory, subnet), "OwnerId": context.account_id,
        "SubnetArn": f"arn:aws:ec2:{context.region}:{context.account_id}:subnet/{subnet.id}",
        "DefaultForAz": False, "MapPublicIpOnLaunch": False, "Tags": tags_of(context, subnet.id, subnet.name),
    }


def describe_instances(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeInstances; each is a reservation of its own, numbered like the instance."""
    items = [instance_item(context, instance) for instance in context.inventory.instances]
    page, more = _INSTANCES.select(items, parameters)
    reservations = [
        {"ReservationId": item["InstanceId"].replace("i-", "r-", 1), "OwnerId": context.account_id, "Instances": [item]}
        for item in page
    ]
    return {"Reservations": reservations, **more}


def describe_network_interfaces(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeNetworkInterfaces: those of instances, load balancers and endpoints."""
    page, more = _INTERFACES.select(_interfaces(context), parameters)
    return {"NetworkInterfaces": page, **more}


def instance_item(context: Context, instance: Instance) -> Item:
    """An instance as it is shown."""
    subnet = _subnet(context.inventory, instance.subnet_id)
    return {
        "InstanceId": instance.id,
        **image_member(instance.image),
        "State": {"Code": STATE_CODES.get(instance.state, 0), "Name": instance.state},
        "PrivateIpAddress": instance.address,
        "SubnetId": subnet.id,
        "VpcId": subnet.vpc_id,
        "Placement": {"AvailabilityZone": subnet.zone},
        "NetworkInterfaces": [
            {"NetworkInterfaceId": instance.interface_id, "PrivateIpAddress": instance.address, "Status": "in-use"}
        ],
        "Tags": tags_of(context, instance.id, instance.name),
    }


def _interfaces(context: Context) -> list[Item]:
    inventory = context.inventory
    found = [
        _interface(context, instance.interface_id, instance.subnet_id, instance.address, "interface", instance.name)
        | {"Attachment": {"InstanceId": instance.id, "DeviceIndex": 0, "Status": "attached"}}
        for instance in inventory.instances
    ]
    found += [
        _interface(context, node.interface_id, node.subnet_id, node.address, "gateway_load_balancer",
                   _load_balancers_in(context, node.subnet_id))
        for node in inventory.nodes
    ]
    return found + [
        _interface(context, endpoint.interface_id, endpoint.subnet_id, endpoint.address,
                   "gateway_load_balancer_endpoint", f"VPC Endpoint Interface {endpoint.id}")
        for endpoint in inventory.endpoints
    ]


def _interface(
    context: Context, interface_id: str, subnet_id: str, address: str, interface_type: str, description: str
) -> Item:
    subnet = _subnet(context.inventory, subnet_id)
    return {
        "NetworkInterfaceId": interface_id, "InterfaceType": interface_type, "Description": description,
        "Status": "in-use", "SubnetId": subnet_id, "VpcId": subnet.vpc_id, "AvailabilityZone": subnet.zone,
        "AvailabilityZoneId": context.inventory.zone_id(subnet.zone), "PrivateIpAddress": address,
        "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": address}], "OwnerId": context.account_id,
        "RequesterManaged": interface_type != "interface", "SourceDestCheck": interface_type == "interface",
        "TagSet": [],
    }


def _load_balancers_in(context: Context, subnet_id: str) -> str:
    # AWS writes the load balancer's name into the description of its interfaces.
    rows = context.connection.execute(
        "SELECT lb.arn FROM load_balancers lb JOIN load_balancer_subnets s ON s.load_balancer_arn = lb.arn"
        " WHERE s.subnet_id = ? ORDER BY lb.created_order", (subnet_id,)
    ).fetchall()
    return ", ".join("ELB " + row["arn"].rsplit(":loadbalancer/", 1)[-1] for row in rows)


def _subnet(inventory: Inventory, subnet_id: str) -> Subnet:
    subnet = inventory.subnet(subnet_id)
    assert subnet is not None, "every import is checked"
    return subnet
