"""From what a caller registers (an instance id, an address) to where packets go: address, zone, interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network
from typing import Any, Final

from forwarder.control.desired_reading import GENEVE_PORT
from forwarder.desired import ALL_ZONES
from forwarder.inventory import Instance, Inventory, Subnet
from gatewatch.aws.error import AwsError, invalid

#: Where addresses of `ip` targets may lie, besides the subnets of the VPC ("Register targets", RFC 1918 and RFC 6598).
OUTSIDE_BLOCKS: Final = tuple(
    IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a target is.  `zone` may be `all`; ids are empty for an address the inventory does not know."""

    id: str
    address: str
    zone: str
    instance_id: str = ""
    interface_id: str = ""


def place_of(inventory: Inventory, vpc_id: str, target_type: str, target: Mapping[str, Any]) -> Place:
    """The place of a `TargetDescription`; `AwsError` if it cannot be a target of a group of that VPC and type."""
    check_port(target)
    if target_type == "instance":
        return _instance_place(inventory, vpc_id, target)
    return _address_place(inventory, vpc_id, target)


def check_port(target: Mapping[str, Any]) -> None:
    """GENEVE has one port; a request may repeat it and name no other."""
    if target.get("Port", GENEVE_PORT) != GENEVE_PORT:
        raise invalid(f"Target port '{target['Port']}' must be {GENEVE_PORT} for the GENEVE protocol")


def known_instance(inventory: Inventory, target_id: str) -> Instance | None:
    """The instance with that id."""
    return next((instance for instance in inventory.instances if instance.id == target_id), None)


def read_address(text: str) -> IPv4Address:
    """An IPv4 address; `ValidationError` for anything else."""
    try:
        address = ip_address(text)
    except ValueError:
        raise invalid(f"The IP address '{text[:60]}' is not a valid IPv4 address") from None
    if not isinstance(address, IPv4Address):
        raise invalid(f"The IP address '{text[:60]}' is not a valid IPv4 address")
    return address


def _instance_place(inventory: Inventory, vpc_id: str, target: Mapping[str, Any]) -> Place:
    instance = known_instance(inventory, target["Id"])
    if instance is None:
        raise AwsError("InvalidTarget", f"Instance ID '{target['Id'][:60]}' is not valid")
    if "AvailabilityZone" in target:
        raise invalid("An Availability Zone cannot be specified for targets with type 'instance'")
    subnet = inventory.subnet(instance.subnet_id)
    assert subnet is not None, "read_inventory checks it"
    if subnet.vpc_id != vpc_id:
        raise AwsError(
            "InvalidTarget", f"The following targets are not in the target group VPC '{vpc_id}': '{instance.id}'"
        )
    if instance.state != "running":
        raise AwsError(
            "InvalidTarget",
            f"The following targets are not in a running state and cannot be registered: '{instance.id}'",
        )
    return Place(
        id=instance.id, address=instance.address, zone=subnet.zone, instance_id=instance.id,
        interface_id=instance.interface_id,
    )


def _address_place(inventory: Inventory, vpc_id: str, target: Mapping[str, Any]) -> Place:
    address = read_address(target["Id"])
    vpc = inventory.vpc(vpc_id)
    if vpc is not None and address in ip_network(vpc.cidr):
        return _inside_place(inventory, vpc_id, address, target.get("AvailabilityZone"))
    if not any(address in block for block in OUTSIDE_BLOCKS):
        raise AwsError(
            "InvalidTarget",
            f"The IP address '{address}' is not within the VPC or one of {', '.join(map(str, OUTSIDE_BLOCKS))}",
        )
    zone = target.get("AvailabilityZone")
    if not zone:
        raise invalid(
            f"An Availability Zone must be specified for the IP address '{address}' outside the VPC"
        )
    if zone != ALL_ZONES and all(known.name != zone for known in inventory.zones):
        raise invalid(f"The Availability Zone '{zone[:60]}' is not valid")
    return Place(id=str(address), address=str(address), zone=zone)


def _inside_place(inventory: Inventory, vpc_id: str, address: IPv4Address, zone: str | None) -> Place:
    subnet = _subnet_of(inventory, vpc_id, address)
    if subnet is None:
        raise AwsError("InvalidTarget", f"The IP address '{address}' is not within a subnet of the VPC '{vpc_id}'")
    if zone is not None and zone != subnet.zone:
        raise invalid(f"The IP address '{address}' is in '{subnet.zone}', not in '{zone[:60]}'")
    if any(node.address == str(address) and node.subnet_id == subnet.id for node in inventory.nodes):
        raise AwsError("InvalidTarget", f"The IP address '{address}' is in use by a load balancer")
    instance = next((
        instance for instance in inventory.instances
        if instance.address == str(address) and instance.subnet_id == subnet.id
    ), None)
    return Place(
        id=str(address), address=str(address), zone=subnet.zone,
        instance_id=instance.id if instance else "", interface_id=instance.interface_id if instance else "",
    )


def _subnet_of(inventory: Inventory, vpc_id: str, address: IPv4Address) -> Subnet | None:
    return next(
        (subnet for subnet in inventory.subnets if subnet.vpc_id == vpc_id and address in ip_network(subnet.cidr)), None
    )
