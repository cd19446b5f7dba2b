"""Flows begin, follow the plan and end here: which target a flow gets, and whether it may be made at all.

Operations: admit a packet that has no flow, look again at a flow whose plan changed or that may be over, expire.
Goals: nothing here runs for a packet of a flow that is simply alive; a plan change costs one look per flow, at its next
packet.  Plan: every flow remembers the plan it was last found right under; with stickiness on, flows of one sticky name
share a `Binding`, which alone knows the target.

Sources: Gateway Load Balancer user guide, "Stickiness", "Target failover", "Idle timeout"; docs/decisions/0010 to 0014.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from forwarder.engine.counters import TargetCounters
from forwarder.engine.drop_reason import DropReason
from forwarder.engine.failover import must_move
from forwarder.engine.flow_key import flow_name, starts_connection, sticky_name, version_of
from forwarder.engine.flow_table import (
    CLOSED,
    HALF_OPEN,
    Binding,
    BoundTarget,
    Direction,
    EndpointFlows,
    Flow,
    FlowTable,
)
from forwarder.engine.plan import HALF_OPEN_TIMEOUT_S, OTHER_IDLE_TIMEOUT_S, EndpointPlan
from forwarder.wire.geneve_codec import IPV4_PROTOCOL, IPV6_PROTOCOL, Codec, Encapsulation, cookie_option
from forwarder.wire.inner_packet import TCP

#: UDP source ports that flows are spread over (RFC 8926 section 3.3).
ENTROPY_PORT_FIRST, ENTROPY_PORTS = 49_152, 16_384
#: Flows looked at when a new one finds the table full, before it is refused.
FULL_TABLE_FLOWS_BUDGET = 16
_SYN, _SYN_ACK = 2, 18

#: Load balancer, target group, target id, target address.
TargetKey = tuple[str | None, str | None, str, str]


class Admission:
    """The flow table with the rules of what may enter it and where it is bound.

    `refused` is why the last `admit` or `revise` gave None.
    """

    def __init__(self, *, endpoints: list[EndpointFlows], flows_max: int, secret: bytes, codec: Codec) -> None:
        self.refused = DropReason.UNKNOWN_FLOW
        self._endpoints = endpoints
        self._table = FlowTable(flows_max=flows_max)
        self._secret = secret
        self._codec = codec
        self._targets: dict[TargetKey, BoundTarget] = {}
        self._flows_made = 0

    def __len__(self) -> int:
        return len(self._table)

    @property
    def targets(self) -> list[BoundTarget]:
        """The targets that the plan names or flows are bound to."""
        return list(self._targets.values())

    def plan_changed(self, before: Sequence[EndpointPlan]) -> None:
        """The endpoints have new plans: know their targets, forget those that no plan names and no flow uses.

        `before` are the plans they had.  Flows that wait for the end of an idle timeout that is shorter now must not go
        on filling the table.
        """
        planned = [(state.plan, position) for state in self._endpoints for position in range(len(state.plan.targets))]
        kept = {key: bound for key, bound in self._targets.items() if bound.counters.active_flows}
        for plan, position in planned:
            target = plan.targets[position]
            key = _target_key(plan, target.id, target.address)
            kept[key] = self._targets.get(key) or kept.get(key) or _bound_target(plan, position)
        self._targets = kept
        if any(_is_shortened(old, state.plan) for old, state in zip(before, self._endpoints, strict=True)):
            self._table.shorten(lambda flow: _idle_timeout_s(self._endpoints[flow.endpoint].plan, flow))

    def admit(self, state: EndpointFlows, kind: int, key: bytes, flags: int, now_s: float) -> Direction | None:
        """Make the flow of a packet that has none."""
        plan, table = state.plan, self._table
        name = sticky_name(kind, key, plan.stickiness) if plan.stickiness else flow_name(kind, key)
        binding = self._live_binding(state, name, now_s)
        if binding is None and not starts_connection(kind, flags):
            self.refused = DropReason.UNKNOWN_FLOW
            return None
        if binding is None and not plan.table:
            self.refused = DropReason.NO_TARGET
            return None
        if table.full:
            table.expire(now_s, FULL_TABLE_FLOWS_BUDGET, self._endpoints)
            if table.full and not table.give_way(now_s, self._endpoints):
                self.refused = DropReason.FLOW_TABLE_FULL
                return None
        flow = self._make_flow(state, kind, key, name, binding, now_s)
        if kind == TCP and flags & _SYN_ACK == _SYN:
            flow.phase = HALF_OPEN
            flow.idle_timeout_s = _idle_timeout_s(plan, flow)
        if plan.stickiness:
            _share(state, flow, name, binding, now_s)
        table.add(flow, state)
        flow.target.counters.new_flows += 1
        state.counters.new_flows += 1
        return flow.forward

    def revise(self, state: EndpointFlows, direction: Direction, flags: int, now_s: float) -> Direction | None:
        """Look again at a flow that was idle too long, whose plan changed, that is half-open, or closed and may meet a SYN."""
        flow = direction.flow
        reopened = flow.phase == CLOSED and flags & _SYN_ACK == _SYN
        if reopened or not self.still_valid(state, flow, now_s):
            self._table.remove(flow, state)
            return self.admit(state, flow.kind, direction.key, flags, now_s)
        if flow.phase == HALF_OPEN and (direction is flow.backward or flags & _SYN_ACK != _SYN):
            # An answer came by, or the opener went on, which a sender of forged addresses cannot.
            self._table.settle(flow)
            flow.idle_timeout_s = _idle_timeout_s(state.plan, flow)
            if flow.binding is not None:
                flow.binding.idle_timeout_s = max(flow.binding.idle_timeout_s, flow.idle_timeout_s)
        return direction

    def note_closing(self, direction: Direction, flags: int) -> None:
        """A FIN or RST passed in that direction."""
        self._table.note_closing(direction, flags)

    @property
    def gave_way(self) -> dict[str, int]:
        """Flows that had to go for a new one, by what they were."""
        return self._table.gave_way

    def still_valid(self, state: EndpointFlows, flow: Flow, now_s: float) -> bool:
        """Whether the flow lives under the present plan; if so it is put on the target it belongs on."""
        plan = state.plan
        if now_s - flow.last_s >= flow.idle_timeout_s or plan.refusal is not None or not _same_node(flow.plan, plan):
            return False
        if flow.plan is not plan:
            self._follow_plan(state, flow)
        return True

    def expire(self, now_s: float, flows_budget: int) -> None:
        """Forget flows that were idle too long, looking at no more than `flows_budget`."""
        self._table.expire(now_s, flows_budget, self._endpoints)

    def clock_stepped(self, by_s: float) -> None:
        """The clock was set by `by_s`: flows and bindings are as old as before."""
        self._table.clock_stepped(by_s)
        for state in self._endpoints:
            for binding in state.bindings.values():
                binding.last_s += by_s

    def _make_flow(
        self, state: EndpointFlows, kind: int, key: bytes, name: bytes, binding: Binding | None, now_s: float
    ) -> Flow:
        flow = Flow(endpoint=state.index, kind=kind, key=key)
        self._flows_made += 1
        flow.slot_hash = binding.slot_hash if binding else self._hash(state, name)
        # The count gives every incarnation of a 5-tuple another port and cookie.
        identity = self._hash(state, self._flows_made.to_bytes(8, "big") + key)
        flow.entropy_port = ENTROPY_PORT_FIRST + (identity >> 32) % ENTROPY_PORTS
        flow.cookie = identity & 0xFFFFFFFF
        flow.cookie_option = cookie_option(flow.cookie)
        flow.binding = None
        flow.last_s = now_s
        flow.idle_timeout_s = _idle_timeout_s(state.plan, flow)
        self._bind(state, flow, binding.target if binding else self._pick(state.plan, flow.slot_hash))
        return flow

    def _hash(self, state: EndpointFlows, name: bytes) -> int:
        digest = blake2b(name, digest_size=8, key=self._secret, salt=state.plan.endpoint_number.to_bytes(8, "big"))
        return int.from_bytes(digest.digest(), "big")

    def _pick(self, plan: EndpointPlan, slot_hash: int) -> BoundTarget:
        target = plan.targets[plan.table[slot_hash % len(plan.table)]]
        return self._targets[_target_key(plan, target.id, target.address)]

    def _bind(self, state: EndpointFlows, flow: Flow, target: BoundTarget) -> None:
        """Put the flow on `target` under the present plan."""
        plan = flow.plan = state.plan
        flow.target = target
        flow.header = self._codec.header(Encapsulation(
            plan.node_address, target.address_bytes, flow.entropy_port, plan.endpoint_number,
            plan.attachment_number, flow.cookie,
            IPV4_PROTOCOL if version_of(flow.kind, flow.forward.key) == 4 else IPV6_PROTOCOL,
        ))

    def _live_binding(self, state: EndpointFlows, name: bytes, now_s: float) -> Binding | None:
        plan = state.plan
        binding = state.bindings.get(name) if plan.stickiness else None
        if binding is None or now_s - binding.last_s >= binding.idle_timeout_s or not _same_node(binding.plan, plan):
            return None
        self._revise_binding(binding, plan)
        return binding

    def _revise_binding(self, binding: Binding, plan: EndpointPlan) -> None:
        if binding.plan is not plan:
            binding.target = self._right_target(binding.target, binding.slot_hash, plan)
            binding.plan = plan

    def _right_target(self, target: BoundTarget, slot_hash: int, plan: EndpointPlan) -> BoundTarget:
        """The target that what is bound to `target` belongs on under `plan`: the same, unless it must move."""
        now = plan.target_now(target.id, target.address)
        if must_move(now, rebalance=plan.rebalance, healthy_exists=plan.healthy_exists):
            return self._pick(plan, slot_hash)
        return target

    def _follow_plan(self, state: EndpointFlows, flow: Flow) -> None:
        plan = state.plan
        flow.idle_timeout_s = _idle_timeout_s(plan, flow)
        if flow.binding is None:
            target = self._right_target(flow.target, flow.slot_hash, plan)
        else:
            self._revise_binding(flow.binding, plan)
            target = flow.binding.target
        flow.target.counters.active_flows -= 1
        target.counters.active_flows += 1
        self._bind(state, flow, target)


def _share(state: EndpointFlows, flow: Flow, name: bytes, binding: Binding | None, now_s: float) -> None:
    """Let the flow use its sticky name's binding, making it if there is none that lives."""
    if binding is None:
        binding = state.bindings[name] = Binding(
            name=name, target=flow.target, plan=state.plan, slot_hash=flow.slot_hash,
            idle_timeout_s=flow.idle_timeout_s, now_s=now_s,
        )
    binding.idle_timeout_s = max(binding.idle_timeout_s, flow.idle_timeout_s)
    binding.flows += 1
    flow.binding = binding


def _bound_target(plan: EndpointPlan, position: int) -> BoundTarget:
    target = plan.targets[position]
    counters = TargetCounters(
        load_balancer=plan.load_balancer or "", target_group=plan.target_group or "",
        target_id=target.id, address=target.address, zone=target.zone,
    )
    return BoundTarget(
        id=target.id, address=target.address, zone_id=plan.target_zone_ids[position],
        counters=counters,
    )


def _target_key(plan: EndpointPlan, target_id: str, address: str) -> TargetKey:
    return plan.load_balancer_arn, plan.target_group_arn, target_id, address


def _same_node(old: EndpointPlan, new: EndpointPlan) -> bool:
    """Whether flows of plan `old` may go on under `new`: the load balancer and its node's address are the same."""
    return old is new or (
        old.load_balancer_arn == new.load_balancer_arn and old.node is not None and new.node is not None
        and old.node.address == new.node.address
    )


def _is_shortened(old: EndpointPlan, new: EndpointPlan) -> bool:
    """Whether TCP flows idle out sooner now.  Without a listener they wait for it, by the time-out they had."""
    return new.refusal is None and new.tcp_idle_timeout_s < old.tcp_idle_timeout_s


def _idle_timeout_s(plan: EndpointPlan, flow: Flow) -> float:
    if flow.kind != TCP:
        return OTHER_IDLE_TIMEOUT_S
    return min(HALF_OPEN_TIMEOUT_S, plan.tcp_idle_timeout_s) if flow.phase == HALF_OPEN else plan.tcp_idle_timeout_s
