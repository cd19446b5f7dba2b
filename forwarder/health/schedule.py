"""Which targets are probed, when, from which node, and what their states came to.  No probe, no clock, no thread here.

`follow` takes over the desired state, `due` gives the probes to start, `finished` takes a result; all give back the
changes of health they caused.  A target has at most one probe under way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from forwarder.desired import ALL_ZONES, Desired, HealthCheck, LoadBalancer, Target, TargetGroup, TargetState
from forwarder.health.probe import Outcome, ProbeResult
from forwarder.inventory import Inventory, Node
from forwarder.target_health import NOT_LISTENED, NOT_REGISTERED, TargetHealth, TargetStatus, unused_because

#: Target group ARN, target id, address: a target registered again at another address is another one.
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A target's health went from one status to another."""

    load_balancer: str
    target_group: str
    target_group_arn: str
    target: Target
    before: TargetStatus
    after: TargetStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A probe to make: from `node`, of `address`."""

    key: Key
    check: HealthCheck
    address: str
    node: Node


@dataclass(slots=True, kw_only=True)
class _Watched:
    health: TargetHealth
    balancer: LoadBalancer
    group: TargetGroup
    target: Target
    node: Node | None
    under_way: bool = False


class Schedule:
    """The targets that are watched.  Times are epoch seconds that do not go back."""

    def __init__(self, inventory: Inventory) -> None:
        self.know_network(inventory)
        self._watched: dict[Key, _Watched] = {}
        self.outcomes: Counter[str] = Counter()
        self.probe_packets: Counter[tuple[str, str]] = Counter()

    def know_network(self, inventory: Inventory) -> None:
        """Take over which nodes and instances there are, and whether these run; `follow` acts on it."""
        self._inventory = inventory
        self._instances = {instance.id: instance.state for instance in inventory.instances}

    def follow(self, desired: Desired, now_s: float) -> list[Change]:
        """Watch what `desired` has; changes include targets that are gone."""
        changes: list[Change] = []
        present: set[Key] = set()
        for balancer in desired.load_balancers:
            if balancer.target_group is None:
                continue
            for target in balancer.target_group.targets:
                key = (balancer.target_group.arn, target.id, target.address)
                present.add(key)
                changes += self._observe(key, balancer, balancer.target_group, target, now_s)
        for key in self._watched.keys() - present:
            changes.append(_farewell(self._watched.pop(key)))
        return changes

    def _observe(
        self, key: Key, balancer: LoadBalancer, group: TargetGroup, target: Target, now_s: float
    ) -> Iterator[Change]:
        watched = self._watched.get(key)
        if watched is None:
            health = TargetHealth.resume(target, check=group.health_check, now_s=now_s)
            watched = _Watched(health=health, balancer=balancer, group=group, target=target, node=None)
            self._watched[key] = watched
        watched.balancer, watched.group, watched.target = balancer, group, target
        watched.node = self._node(balancer, target)
        before = watched.health.status
        enabled = target.zone == ALL_ZONES or target.zone in self._zones(balancer)
        state = self._instances.get(target.instance_id, "running")
        if watched.health.observe(
            now_s, check=group.health_check, deregistered_at_s=target.deregistered_at_s,
            unused=unused_because(listened=True, zone_enabled=enabled, instance_state=state),
            deregistration_delay_s=group.deregistration_delay_s,
        ):
            yield _change(watched, before)

    def _zones(self, balancer: LoadBalancer) -> set[str]:
        found = [self._inventory.subnet(subnet_id) for subnet_id in balancer.subnet_ids]
        return {subnet.zone for subnet in found if subnet is not None}

    def _node(self, balancer: LoadBalancer, target: Target) -> Node | None:
        """The balancer's node in the target's zone, else any of its nodes."""
        nodes = [node for node in self._inventory.nodes if node.device and node.subnet_id in balancer.subnet_ids]
        near = [node for node in nodes if self._zone_of(node) == target.zone]
        return next(iter(near or nodes), None)

    def _zone_of(self, node: Node) -> str:
        subnet = self._inventory.subnet(node.subnet_id)
        return subnet.zone if subnet else ""

    def differing(self) -> list[Change]:
        """Targets of which the store says something else than was observed, as changes from the one to the other."""
        return [
            _change(watched, stored) for watched in self._watched.values()
            if watched.target.deregistered_at_s is None
            and (stored := _stored(watched.target)) != watched.health.status
        ]

    def due(self, now_s: float, probes_max: int) -> tuple[list[Order], list[Change]]:
        """At most `probes_max` probes to start now, the longest due first, and the changes that starting them makes."""
        waiting = [
            (due_s, key) for key, watched in self._watched.items()
            if not watched.under_way and (due_s := watched.health.probe_due_s) is not None and due_s <= now_s
        ]
        orders: list[Order] = []
        changes: list[Change] = []
        for _, key in sorted(waiting)[:probes_max]:
            watched = self._watched[key]
            before = watched.health.status
            if watched.health.probe_started(now_s):
                changes.append(_change(watched, before))
            if watched.node is None:
                self.outcomes["no node"] += 1
                continue
            watched.under_way = True
            check = watched.group.health_check
            orders.append(Order(key=key, check=check, address=watched.target.address, node=watched.node))
        return orders, changes

    def next_due_s(self) -> float | None:
        """When the next probe is due; None when none is."""
        times = [
            due_s for watched in self._watched.values()
            if not watched.under_way and (due_s := watched.health.probe_due_s) is not None
        ]
        return min(times, default=None)

    def finished(self, key: Key, result: ProbeResult) -> list[Change]:
        """Take a result.  What failed on our side (`LOCAL_ERROR`) says nothing about the target and changes nothing."""
        self.outcomes[str(result.outcome)] += 1
        watched = self._watched.get(key)
        if watched is None:
            return []
        watched.under_way = False
        if watched.node is not None:
            self.probe_packets[watched.balancer.dimension, self._zone_of(watched.node)] += result.packets
        before = watched.health.status
        if result.outcome is Outcome.LOCAL_ERROR or not watched.health.probe_finished(result.passed):
            return []
        return [_change(watched, before)]

    def states(self) -> list[dict[str, str]]:
        """Every watched target and its status, for the status file."""
        return [
            {
                "target_group": watched.group.dimension, "target": watched.target.id, "address": watched.target.address,
                "state": str(watched.health.status.state), "reason": watched.health.status.reason,
            }
            for watched in self._watched.values()
        ]


def _stored(target: Target) -> TargetStatus:
    return TargetStatus(target.state, target.reason, target.description)


def _change(watched: _Watched, before: TargetStatus) -> Change:
    return Change(
        load_balancer=watched.balancer.dimension, target_group=watched.group.dimension,
        target_group_arn=watched.group.arn, target=watched.target, before=before, after=watched.health.status,
    )


def _farewell(watched: _Watched) -> Change:
    """A target is gone: its delay is over, or its group has no listener any more."""
    before = watched.health.status
    after = NOT_REGISTERED if before.state is TargetState.DRAINING else NOT_LISTENED
    return Change(
        load_balancer=watched.balancer.dimension, target_group=watched.group.dimension,
        target_group_arn=watched.group.arn, target=watched.target, before=before, after=after,
    )
