"""The subnets a load balancer is put in: known, of one VPC, one a zone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forwarder.inventory import Inventory, Subnet
from gatewatch.aws.error import AwsError, invalid


def wanted_subnets(inventory: Inventory, parameters: Mapping[str, Any]) -> list[Subnet]:
    """The subnets of `Subnets` or `SubnetMappings`, in the order given; `AwsError` if they cannot be had."""
    subnet_ids = _subnet_ids(parameters)
    subnets = [_known(inventory, subnet_id) for subnet_id in subnet_ids]
    vpcs = {subnet.vpc_id for subnet in subnets}
    if len(vpcs) > 1:
        given = ", ".join(sorted(vpcs))
        raise AwsError("InvalidConfigurationRequest", f"All subnets must belong to the same VPC: {given}")
    zones = [subnet.zone for subnet in subnets]
    if len(set(zones)) < len(zones):
        raise AwsError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    return subnets


def _subnet_ids(parameters: Mapping[str, Any]) -> list[str]:
    plain, mappings = parameters.get("Subnets"), parameters.get("SubnetMappings")
    if plain and mappings:
        raise invalid("You can specify either 'Subnets' or 'SubnetMappings', but not both")
    if not plain and not mappings:
        raise invalid("At least one subnet must be specified")
    if plain:
        return list(dict.fromkeys(plain))
    return [_mapped_subnet_id(mapping) for mapping in mappings or ()]


def _mapped_subnet_id(mapping: Mapping[str, Any]) -> str:
    others = sorted(mapping.keys() - {"SubnetId"})
    if others:
        raise AwsError(
            "InvalidConfigurationRequest",
            f"{', '.join(others)} cannot be specified for subnets of load balancers with type 'gateway'",
        )
    if not mapping.get("SubnetId"):
        raise invalid("A subnet mapping must have a 'SubnetId'")
    return str(mapping["SubnetId"])


def _known(inventory: Inventory, subnet_id: str) -> Subnet:
    subnet = inventory.subnet(subnet_id)
    if subnet is None:
        raise AwsError("SubnetNotFound", f"The subnet ID '{subnet_id}' does not exist")
    return subnet
