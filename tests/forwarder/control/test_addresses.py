"""Addresses of a subnet."""

from __future__ import annotations

import pytest

from forwarder.control.addresses import check_address, free_address, free_addresses
from forwarder.inventory import Instance, Inventory, Subnet
from gatewatch.aws.error import AwsError

SUBNET = Subnet(id="s", vpc_id="v", cidr="10.0.0.0/28", zone="a")


def network(*addresses: str) -> Inventory:
    return Inventory(subnets=(SUBNET,), instances=tuple(
        Instance(id=f"i-{address}", subnet_id="s", interface_id=f"eni-{address}", address=address) for address in addresses))


def test_the_lowest_free_address_behind_those_of_aws_is_next() -> None:
    assert free_address(network(), SUBNET) == "10.0.0.4"
    assert free_address(network("10.0.0.4", "10.0.0.6"), SUBNET) == "10.0.0.5"
    assert free_address(network("10.0.0.4"), SUBNET, ["10.0.0.5", "10.9.9.9"]) == "10.0.0.6"


def test_a_subnet_ends_before_its_last_address() -> None:
    taken = [f"10.0.0.{number}" for number in range(4, 15)]
    assert free_addresses(network(*taken[1:]), SUBNET) == 1
    assert free_address(network(*taken[:-1]), SUBNET) == "10.0.0.14"
    assert free_addresses(network(*taken), SUBNET) == 0
    with pytest.raises(AwsError) as refused:
        free_address(network(*taken), SUBNET)
    assert refused.value.code == "InsufficientFreeAddressesInSubnet"


@pytest.mark.parametrize(("address", "code"), [
    ("10.0.0.3", "InvalidParameterValue"), ("10.0.0.15", "InvalidParameterValue"), ("10.0.1.4", "InvalidParameterValue"),
    ("10.0.0", "InvalidParameterValue"), ("::1", "InvalidParameterValue"), ("10.0.0.7", "InvalidIPAddress.InUse"),
])
def test_an_address_that_cannot_be_had(address: str, code: str) -> None:
    with pytest.raises(AwsError) as refused:
        check_address(network("10.0.0.7"), SUBNET, address)
    assert refused.value.code == code
    check_address(network("10.0.0.7"), SUBNET, "10.0.0.14")
