"""A load balancer's interfaces come with it and go with it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.forwarder.conftest import SUBNET_A, SUBNET_B


def interfaces(api: Any) -> dict[str, str]:
    """Subnet by address, of those that load balancers have."""
    found = api.call("ec2", "DescribeNetworkInterfaces", Filters=[{"Name": "interface-type", "Values": ["gateway_load_balancer"]}])
    return {each["PrivateIpAddress"]: each["SubnetId"] for each in found["NetworkInterfaces"]}


def test_a_subnet_without_an_interface_gets_one_and_loses_it_with_the_last_load_balancer(api: Any) -> None:
    api.import_network(replace(api.inventory, nodes=()))
    assert interfaces(api) == {}
    first = api.load_balancer("one", (SUBNET_A, SUBNET_B))
    second = api.load_balancer("two", (SUBNET_A,))
    made = interfaces(api)
    assert sorted(made.values()) == sorted([SUBNET_A, SUBNET_B])
    api.elbv2("DeleteLoadBalancer", LoadBalancerArn=first)
    api.store.observe_network({"nodes": set()})
    assert list(interfaces(api).values()) == [SUBNET_A]
    api.elbv2("DeleteLoadBalancer", LoadBalancerArn=second)
    api.store.observe_network({"nodes": set()})
    assert interfaces(api) == {}


def test_the_interfaces_of_the_inventory_stay(api: Any) -> None:
    before = interfaces(api)
    assert before
    balancer = api.load_balancer()
    api.elbv2("DeleteLoadBalancer", LoadBalancerArn=balancer)
    assert {address: subnet for address, subnet in interfaces(api).items() if address in before} == before


def test_interfaces_in_vpcs_with_the_same_block_have_different_addresses(api: Any) -> None:
    subnets = []
    for _ in range(2):
        vpc = api.call("ec2", "CreateVpc", CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
        subnets.append(api.call("ec2", "CreateSubnet", VpcId=vpc, CidrBlock="10.99.0.0/24")["Subnet"]["SubnetId"])
    for number, subnet in enumerate(subnets):
        api.load_balancer(f"twin-{number}", (subnet,))
    made = {address: subnet for address, subnet in interfaces(api).items() if subnet in subnets}
    assert len(made) == 2
