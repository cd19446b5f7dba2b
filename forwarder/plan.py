"""What the engine needs to know, worked out ahead: per endpoint its load balancer, node, targets and target table.

`make_plan` is called in a control thread whenever `Desired` changed, because building tables takes milliseconds; the
packet thread then hands the finished, immutable `Plan` to `Engine.configure`.

    make_plan(desired, inventory, maglev_slots=16_381) -> Plan
An endpoint connects to the load balancer of its service, or without a service to the oldest of its provider VPC, that has a subnet with a
node in its zone.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from ipaddress import IPv4Address

from forwarder.capture.drop_reason import DropReason
from forwarder.desired import ALL_ZONES, Desired, LoadBalancer, Target, TargetGroup, TargetState
from forwarder.engine.failover import eligible
from forwarder.engine.flow_key import address_bytes
from forwarder.engine.target_table import build_table
from forwarder.inventory import ACCEPTED, Endpoint, Inventory, Node, Vpc

DEFAULT_TCP_IDLE_TIMEOUT_S = 350
OTHER_IDLE_TIMEOUT_S = 120
#: A TCP flow of which only the opening packet was seen: "a target must answer a new request within 30 seconds to establish the
#: return path" (user guide, "Idle timeout").
HALF_OPEN_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EndpointPlan:
    """One endpoint's part of the plan.

    `load_balancer` and `target_group` are CloudWatch dimensions (`gwy/name/id`, `targetgroup/name/id`) and None, like
    `node`, when there is none.  `targets` are those the node may use (of its zone and of `ALL_ZONES`, or of all
    enabled zones with cross-zone on), draining ones included; `table` holds positions in `targets`.  `refusal` is why nothing is
    forwarded, None when packets may pass.  `endpoint_number` and `attachment_number` go into the GENEVE options.
    """

    endpoint_id: str
    interface_id: str
    address: str = ""
    subnet_id: str = ""
    vpc_id: str | None = None
    vpc_cidr: str | None = None
    zone: str
    zone_id: str
    endpoint_number: int
    attachment_number: int
    refusal: DropReason | None
    load_balancer: str | None = None
    load_balancer_arn: str | None = None
    target_group: str | None = None
    target_group_arn: str | None = None
    node: Node | None = None
    node_address: bytes = b""
    targets: tuple[Target, ...] = ()
    target_zone_ids: tuple[str, ...] = ()
    table: array[int] = field(default_factory=lambda: array("i"))
    healthy_exists: bool = False
    stickiness: str | None = None
    rebalance: bool = False
    tcp_idle_timeout_s: int = DEFAULT_TCP_IDLE_TIMEOUT_S

    def __post_init__(self) -> None:
        """A position that is none of a target's would send packets astray."""
        assert len(self.target_zone_ids) == len(self.targets)
        assert not self.table or 0 <= min(self.table) <= max(self.table) < len(self.targets)

    def target_now(self, target_id: str, address: str) -> Target | None:
        """The target as it is in this plan, None when it is gone."""
        return next((target for target in self.targets if target.id == target_id and target.address == address), None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NodePlan:
    """A load balancer's interface and where it is; `in_use`: a load balancer has its subnet."""

    node: Node
    vpc_id: str | None
    vpc_cidr: str | None
    zone_id: str
    in_use: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """The whole plan; `revision` is that of the `Desired` it was made from.  `nodes` are all there are, by address."""

    revision: int
    endpoints: tuple[EndpointPlan, ...] = ()
    nodes: Mapping[str, NodePlan] = field(default_factory=dict)


def make_plan(desired: Desired, inventory: Inventory, *, maglev_slots: int) -> Plan:
    """Work out the plan.

    `ValueError` if `maglev_slots` is not a prime, two endpoints have the same id number, or a node's address is not
    IPv4.
    """
    tables: dict[tuple[str, ...], array[int]] = {}
    endpoints = tuple(
        _plan_endpoint(endpoint, desired, inventory, maglev_slots, tables) for endpoint in inventory.endpoints
    )
    _check_numbers(endpoints)
    nodes = {node.address: _plan_node(node, desired, inventory) for node in inventory.nodes}
    return Plan(revision=desired.revision, endpoints=endpoints, nodes=nodes)


def resource_number(resource_id: str) -> int:
    """The 64-bit number of an AWS id: its last 16 hexadecimal digits; of any other text, a hash.

    AWS ids are a prefix, a zero and 16 digits, so nothing is lost (docs/decisions/0011-option-contents.md).
    """
    digits = resource_id.rsplit("-", 1)[-1]
    if len(digits) in (8, 16, 17) and all(digit in "0123456789abcdef" for digit in digits):
        return int(digits[-16:], 16)
    return int.from_bytes(blake2b(resource_id.encode(), digest_size=8).digest(), "big")


def _check_numbers(endpoints: Iterable[EndpointPlan]) -> None:
    seen: dict[int, str] = {}
    for endpoint in endpoints:
        other = seen.setdefault(endpoint.endpoint_number, endpoint.endpoint_id)
        if other != endpoint.endpoint_id:
            raise ValueError(
                f"endpoints {other} and {endpoint.endpoint_id} have the same last 16 digits, by which appliances"
                " tell endpoints apart; change one in the inventory"
            )


def _plan_endpoint(
    endpoint: Endpoint, desired: Desired, inventory: Inventory, slots: int, tables: dict[tuple[str, ...], array[int]]
) -> EndpointPlan:
    zone = _zone_of(endpoint.subnet_id, inventory)
    connected = _connect(endpoint, zone, desired, inventory)
    balancer, node = connected if connected else (None, None)
    group = balancer.target_group if balancer else None
    targets = _visible_targets(balancer, zone, inventory) if balancer else ()
    chosen = eligible(targets)
    vpc = _vpc_of(endpoint.subnet_id, inventory)
    return EndpointPlan(
        endpoint_id=endpoint.id,
        interface_id=endpoint.interface_id,
        address=endpoint.address,
        subnet_id=endpoint.subnet_id,
        vpc_id=vpc.id if vpc else None,
        vpc_cidr=vpc.cidr if vpc else None,
        zone=zone,
        zone_id=inventory.zone_id(zone),
        endpoint_number=resource_number(endpoint.id),
        attachment_number=resource_number(endpoint.interface_id),
        refusal=_refusal(balancer, group),
        load_balancer=balancer.dimension if balancer else None,
        load_balancer_arn=balancer.arn if balancer else None,
        target_group=group.dimension if group else None,
        target_group_arn=group.arn if group else None,
        node=node,
        node_address=_node_address(node) if node else b"",
        targets=targets,
        target_zone_ids=tuple(inventory.zone_id(target.zone) for target in targets),
        table=_table(targets, chosen, slots, tables),
        healthy_exists=any(targets[position].state is TargetState.HEALTHY for position in chosen),
        stickiness=group.stickiness if group else None,
        rebalance=group.rebalance if group else False,
        tcp_idle_timeout_s=_tcp_idle_timeout_s(balancer, group),
    )


def _plan_node(node: Node, desired: Desired, inventory: Inventory) -> NodePlan:
    vpc = _vpc_of(node.subnet_id, inventory)
    return NodePlan(
        node=node, vpc_id=vpc.id if vpc else None, vpc_cidr=vpc.cidr if vpc else None,
        zone_id=inventory.zone_id(_zone_of(node.subnet_id, inventory)),
        in_use=any(node.subnet_id in balancer.subnet_ids for balancer in desired.load_balancers),
    )


def _vpc_of(subnet_id: str, inventory: Inventory) -> Vpc | None:
    subnet = inventory.subnet(subnet_id)
    return inventory.vpc(subnet.vpc_id) if subnet else None


def _zone_of(subnet_id: str, inventory: Inventory) -> str:
    subnet = inventory.subnet(subnet_id)
    return subnet.zone if subnet else ""


def _connect(
    endpoint: Endpoint, zone: str, desired: Desired, inventory: Inventory
) -> tuple[LoadBalancer, Node] | None:
    for balancer in desired.load_balancers:
        if _serves(balancer, endpoint, inventory):
            for node in inventory.nodes:
                if node.device and node.subnet_id in balancer.subnet_ids and _zone_of(node.subnet_id, inventory) == zone:
                    return balancer, node
    return None


def _serves(balancer: LoadBalancer, endpoint: Endpoint, inventory: Inventory) -> bool:
    if not endpoint.service_id:
        return balancer.vpc_id == endpoint.provider_vpc_id
    service = inventory.endpoint_service(endpoint.service_id)
    return service is not None and endpoint.connection == ACCEPTED and balancer.arn in service.load_balancer_arns


def _node_address(node: Node) -> bytes:
    if not _is_ipv4(node.address):
        raise ValueError(f"node {node.interface_id} has address {node.address!r}; it must be IPv4")
    return address_bytes(node.address)


def _visible_targets(balancer: LoadBalancer, zone: str, inventory: Inventory) -> tuple[Target, ...]:
    if balancer.target_group is None:
        return ()
    enabled = {_zone_of(subnet_id, inventory) for subnet_id in balancer.subnet_ids}
    zones = {*(enabled if balancer.cross_zone else {zone}), ALL_ZONES}
    # The outer packet is always IPv4 (user guide), so a target with another address can never be reached.
    return tuple(
        target for target in balancer.target_group.targets if target.zone in zones and _is_ipv4(target.address)
    )


def _is_ipv4(address: str) -> bool:
    try:
        IPv4Address(address)
    except ValueError:
        return False
    return True


def _refusal(balancer: LoadBalancer | None, group: TargetGroup | None) -> DropReason | None:
    if balancer is None:
        return DropReason.NO_LOAD_BALANCER
    return DropReason.NO_LISTENER if group is None else None


def _tcp_idle_timeout_s(balancer: LoadBalancer | None, group: TargetGroup | None) -> int:
    """The listener attribute works with 5-tuple only, else the default holds (user guide, "Stickiness")."""
    if balancer is None or group is None or group.stickiness is not None:
        return DEFAULT_TCP_IDLE_TIMEOUT_S
    return balancer.tcp_idle_timeout_s


def _table(
    targets: tuple[Target, ...], chosen: list[int], slots: int, tables: dict[tuple[str, ...], array[int]]
) -> array[int]:
    """The Maglev table over the chosen targets, as positions in `targets`; equal sets share the work of one."""
    names = tuple(f"{targets[position].id} {targets[position].address}" for position in chosen)
    if names not in tables:
        tables[names] = build_table(names, slots)
    return array("i", (chosen[slot] for slot in tables[names]))
