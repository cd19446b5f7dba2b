"""The smallest network that carries a packet: an endpoint in one VPC, a node and its target in another, one zone."""

from __future__ import annotations

import msgspec
import tomli_w

from forwarder.desired import Desired, LoadBalancer, Target, TargetGroup, TargetState
from forwarder.inventory import Endpoint, Inventory, Node, Subnet, Vpc, Zone

INVENTORY = Inventory(
    zones=(Zone(name="us-east-1a", id="use1-az1"),),
    vpcs=(Vpc(id="vpc-c", cidr="10.0.0.0/16"), Vpc(id="vpc-p", cidr="10.9.0.0/16")),
    subnets=(
        Subnet(id="subnet-e", vpc_id="vpc-c", cidr="10.0.1.0/24", zone="us-east-1a"),
        Subnet(id="subnet-n", vpc_id="vpc-p", cidr="10.9.0.0/24", zone="us-east-1a"),
    ),
    nodes=(Node(interface_id="eni-n", subnet_id="subnet-n", address="10.9.0.1", device="gwn"),),
    endpoints=(Endpoint(
        id="vpce-00000000000000001", interface_id="eni-e", subnet_id="subnet-e", address="10.0.1.10", device="gwe",
        provider_vpc_id="vpc-p", router_mac="02:00:00:00:00:01",
    ),),
)

TARGET = "10.9.0.2"


def desired(revision: int = 1, deregistered_at_s: float | None = None) -> Desired:
    """One load balancer with one healthy target."""
    target = Target(
        id="i-1", address=TARGET, zone="us-east-1a", state=TargetState.HEALTHY, deregistered_at_s=deregistered_at_s
    )
    group = TargetGroup(arn="arn:tg:targetgroup/fw/1", name="fw", vpc_id="vpc-p", targets=(target,))
    return Desired(revision=revision, load_balancers=(LoadBalancer(
        arn="arn:lb:loadbalancer/gwy/g/1", name="g", vpc_id="vpc-p", subnet_ids=("subnet-n",), target_group=group,
    ),))


def toml(inventory: Inventory) -> str:
    """The inventory as a file says it."""
    return tomli_w.dumps(msgspec.to_builtins(inventory))
