"""A small network and its plans, for tests, the fuzz run and benchmarks.

Two zones.  Endpoints 0 and 1 are in zone a and endpoint 2 in zone b; endpoint 3's provider VPC has no load balancer.
Targets are named by their address, 10.1.<zone>.<number>, with zone 0 for a and 1 for b.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from forwarder.desired import Desired, LoadBalancer, Target, TargetGroup, TargetState
from forwarder.engine.engine import Datagram, Engine
from forwarder.inventory import Endpoint, Inventory, Node, Subnet, Vpc, Zone
from forwarder.plan import Plan, make_plan
from forwarder.wire.geneve_codec import Codec

SECRET = bytes(range(32))
SLOTS = 251
ZONES = ("us-east-1a", "us-east-1b")
PREFIX = "arn:aws:elasticloadbalancing:us-east-1:123456789012:"

Sent = tuple[bytes, str, str]


def _endpoint(number: int, subnet_id: str, provider_vpc_id: str = "vpc-provider") -> Endpoint:
    return Endpoint(
        id=f"vpce-0{number:016x}", interface_id=f"eni-0{number:016x}", subnet_id=subnet_id,
        address=f"10.0.{number}.4", device=f"gwe{number}", provider_vpc_id=provider_vpc_id,
        router_mac="02:00:00:00:00:01",
    )


INVENTORY = Inventory(
    zones=tuple(Zone(name=name, id=f"use1-az{number}") for number, name in enumerate(ZONES, 1)),
    vpcs=(
        Vpc(id="vpc-consumer", cidr="10.0.0.0/16"), Vpc(id="vpc-provider", cidr="10.1.0.0/16"),
        Vpc(id="vpc-empty", cidr="10.2.0.0/16"),
    ),
    subnets=(
        Subnet(id="subnet-ca", vpc_id="vpc-consumer", cidr="10.0.0.0/24", zone=ZONES[0]),
        Subnet(id="subnet-cb", vpc_id="vpc-consumer", cidr="10.0.1.0/24", zone=ZONES[1]),
        Subnet(id="subnet-pa", vpc_id="vpc-provider", cidr="10.1.0.0/24", zone=ZONES[0]),
        Subnet(id="subnet-pb", vpc_id="vpc-provider", cidr="10.1.1.0/24", zone=ZONES[1]),
    ),
    nodes=(
        Node(interface_id="eni-na", subnet_id="subnet-pa", address="10.1.0.200", device="node0"),
        Node(interface_id="eni-nb", subnet_id="subnet-pb", address="10.1.1.200", device="node1"),
    ),
    endpoints=(
        _endpoint(0xA0, "subnet-ca"), _endpoint(0xA1, "subnet-ca"), _endpoint(0xB0, "subnet-cb"),
        _endpoint(0xA2, "subnet-ca", "vpc-empty"),
    ),
)
ENDPOINTS = tuple(endpoint.id for endpoint in INVENTORY.endpoints)
E0, E1, E2, E3 = ENDPOINTS


def target(number: int, state: TargetState = TargetState.HEALTHY, *, zone: int = 0, **changes: Any) -> Target:
    """Target 10.1.<zone>.<number> in that state."""
    address = f"10.1.{zone}.{number}"
    known = Target(id=address, address=address, zone=ZONES[zone], state=state, reason="", description="")
    return replace(known, **changes)


def draining(number: int, *, zone: int = 0) -> Target:
    """A target that was deregistered at time 0 and has not reached the end of its delay."""
    return target(number, TargetState.DRAINING, zone=zone, deregistered_at_s=0.0)


THREE = (target(1), target(2), target(3))


def group(targets: Sequence[Target] = THREE, **changes: Any) -> TargetGroup:
    """The target group."""
    arn = PREFIX + "targetgroup/appliances/0123456789abcdef"
    known = TargetGroup(arn=arn, name="appliances", vpc_id="vpc-provider")
    return replace(known, targets=tuple(targets), **changes)


def balancer(target_group: TargetGroup | None, name: str = "gateway", **changes: Any) -> LoadBalancer:
    """A load balancer in both zones of the provider VPC."""
    known = LoadBalancer(
        arn=PREFIX + f"loadbalancer/gwy/{name}/fedcba9876543210", name=name, vpc_id="vpc-provider",
        subnet_ids=("subnet-pa", "subnet-pb"), target_group=target_group,
    )
    return replace(known, **changes)


def plan_of(*balancers: LoadBalancer, revision: int = 1) -> Plan:
    """The plan with these load balancers, oldest first."""
    return make_plan(Desired(revision=revision, load_balancers=balancers), INVENTORY, maglev_slots=SLOTS)


def plan(targets: Sequence[Target] = THREE, *, of_balancer: dict[str, Any] | None = None, **of_group: Any) -> Plan:
    """The plan of one load balancer with these targets."""
    return plan_of(balancer(group(targets, **of_group), **(of_balancer or {})))


def engine(
    first: Plan | None = None, *, flows_max: int = 1000, rejects_max: int = 100, codec: Codec | None = None
) -> Engine:
    """An engine that was configured at time 0."""
    made = Engine(flows_max=flows_max, rejects_max=rejects_max, secret=SECRET, codec=codec)
    made.configure(first or plan(), 0.0)
    return made


def offer(to: Engine, *packets: bytes, endpoint: int = 0, now_s: float = 0.0) -> list[Sent]:
    """Hand packets to an endpoint; what was sent."""
    send: list[Sent] = []
    to.from_endpoint(ENDPOINTS[endpoint], packets, now_s, send)
    return send


def bounce(sent: Sent) -> Datagram:
    """What a target that returns everything gives back for it: the UDP payload, its address, the same UDP port."""
    outer, address, _ = sent
    return outer[28:], address, int.from_bytes(outer[20:22], "big")


def give_back(to: Engine, *datagrams: Datagram, now_s: float = 0.0) -> list[tuple[str, bytes]]:
    """Hand datagrams from targets to the engine; what is to be delivered."""
    deliver: list[tuple[str, bytes]] = []
    to.from_target(datagrams, now_s, deliver)
    return deliver
