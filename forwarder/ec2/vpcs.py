"""VPCs and subnets: made and taken away.

Source: EC2 API reference, "CreateVpc", "CreateSubnet", "DeleteVpc", "DeleteSubnet"; VPC user guide, "VPC CIDR blocks", "Quotas".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, ip_network
from typing import Any, Final

from msgspec.structs import replace

from forwarder.control import network_state
from forwarder.control.addresses import taken_addresses
from forwarder.control.context import Context
from forwarder.ec2.change import refuse_dry_run, subnet_of, vpc_of, write
from forwarder.ec2.network import subnet_item, vpc_item
from forwarder.ec2.tags import forget_tags, given_tags, write_tags
from forwarder.inventory import RouteTable, Subnet, Vpc
from gatewatch.aws.error import AwsError

VPCS_MAX: Final = 100
SUBNETS_PER_VPC_MAX: Final = 200
#: A block has 16 to 65,536 addresses.
PREFIX_MIN, PREFIX_MAX = 16, 28


def create_vpc(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """CreateVpc, with its main route table."""
    block, tags = _block(parameters, "InvalidVpc.Range"), given_tags(parameters, "vpc")
    if parameters.get("InstanceTenancy", "default") != "default":
        raise AwsError("InvalidParameterValue", "The tenancy must be 'default'; gatewatch has no hosts to set apart")
    if len(context.inventory.vpcs) >= VPCS_MAX:
        raise AwsError("VpcLimitExceeded", f"The maximum number of VPCs, {VPCS_MAX}, has been reached.")
    refuse_dry_run(parameters)
    vpc = Vpc(id=f"vpc-0{context.number()}", cidr=str(block))
    write(context, "vpcs", vpc)
    write(context, "route_tables", RouteTable(id=f"rtb-0{context.number()}", vpc_id=vpc.id, main=True))
    write_tags(context, vpc.id, tags)
    return {"Vpc": vpc_item(context, vpc)}


def delete_vpc(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DeleteVpc, with its main route table: of one that nothing else is in."""
    vpc = vpc_of(context, parameters["VpcId"])
    users = list(_users(context, vpc))
    if users:
        raise AwsError("DependencyViolation", f"The vpc '{vpc.id}' has dependencies and cannot be deleted: {', '.join(users[:5])}")
    refuse_dry_run(parameters)
    for table in context.inventory.route_tables:
        if table.vpc_id == vpc.id:
            network_state.remove(context.connection, "route_tables", table.id)
            forget_tags(context, table.id)
    network_state.remove(context.connection, "vpcs", vpc.id)
    forget_tags(context, vpc.id)
    return {}


def create_subnet(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """CreateSubnet; without a zone in the first there is."""
    vpc, block, tags = vpc_of(context, parameters["VpcId"]), _block(parameters, "InvalidSubnet.Range"), given_tags(parameters, "subnet")
    zone = _zone(context, parameters)
    if not block.subnet_of(IPv4Network(vpc.cidr)):
        raise AwsError("InvalidSubnet.Range", f"The CIDR '{block}' is invalid: it is not in the VPC's, {vpc.cidr}.")
    others = [subnet for subnet in context.inventory.subnets if subnet.vpc_id == vpc.id]
    for other in others:
        if block.overlaps(IPv4Network(other.cidr)):
            raise AwsError("InvalidSubnet.Conflict", f"The CIDR '{block}' conflicts with another subnet, {other.id}")
    if len(others) >= SUBNETS_PER_VPC_MAX:
        raise AwsError("SubnetLimitExceeded", f"The maximum number of subnets of a VPC, {SUBNETS_PER_VPC_MAX}, has been reached.")
    refuse_dry_run(parameters)
    subnet = Subnet(id=f"subnet-0{context.number()}", vpc_id=vpc.id, cidr=str(block), zone=zone)
    write(context, "subnets", subnet)
    write_tags(context, subnet.id, tags)
    return {"Subnet": subnet_item(context, subnet, zone)}


def delete_subnet(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DeleteSubnet, with its association: of one in which nobody has an address and no load balancer is."""
    subnet = subnet_of(context, parameters["SubnetId"])
    balancers = context.connection.execute(
        "SELECT load_balancer_arn FROM load_balancer_subnets WHERE subnet_id = ?", (subnet.id,)).fetchall()
    if taken_addresses(context.inventory, subnet) or balancers:
        raise AwsError("DependencyViolation", f"The subnet '{subnet.id}' has dependencies and cannot be deleted.")
    refuse_dry_run(parameters)
    for table in context.inventory.route_tables:
        if subnet.id in table.associations:
            write(context, "route_tables", replace(table, associations=tuple(each for each in table.associations if each != subnet.id)))
    network_state.remove(context.connection, "subnets", subnet.id)
    forget_tags(context, subnet.id)
    return {}


def _block(parameters: Mapping[str, Any], out_of_range: str) -> IPv4Network:
    """AWS clears the bits behind the prefix, too."""
    given = parameters.get("CidrBlock", "")
    if not given:
        raise AwsError("MissingParameter", "The request must contain the parameter cidrBlock")
    try:
        block = ip_network(given, strict=False)
    except ValueError as error:
        raise AwsError(
            "InvalidParameterValue", f"Value ({given[:50]}) for parameter cidrBlock is invalid. This is not a valid CIDR block."
        ) from error
    if not isinstance(block, IPv4Network) or not PREFIX_MIN <= block.prefixlen <= PREFIX_MAX:
        raise AwsError(out_of_range, f"The CIDR '{given[:50]}' is invalid: a block has a prefix from /{PREFIX_MIN} to /{PREFIX_MAX}.")
    return block


def _zone(context: Context, parameters: Mapping[str, Any]) -> str:
    zones = {zone.name: zone.id for zone in context.inventory.zones}
    name, zone_id = parameters.get("AvailabilityZone"), parameters.get("AvailabilityZoneId")
    chosen = [zone for zone in zones if name in (None, zone) and zone_id in (None, zones[zone])]
    if not chosen:
        what = name or zone_id or "a zone, of which there is none"
        raise AwsError(
            "InvalidParameterValue", f"Value ({what[:50]}) for parameter availabilityZone is invalid. Subnets can currently only be"
            f" created in the following availability zones: {', '.join(zones) or 'none'}.")
    return chosen[0]


def _users(context: Context, vpc: Vpc) -> Iterator[str]:
    network = context.inventory
    yield from (subnet.id for subnet in network.subnets if subnet.vpc_id == vpc.id)
    yield from (gateway.id for gateway in network.internet_gateways if gateway.vpc_id == vpc.id)
    yield from (table.id for table in network.route_tables if table.vpc_id == vpc.id and not table.main)
