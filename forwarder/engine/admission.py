"""Flows begin, follow the plan and end here: which target a flow gets, and whether it may be made at all.

Operations: admit a packet that has no flow, look again at a flow whose plan changed or that may be over, expire.
Goals: nothing here runs for a packet of a flow that is simply alive; a plan change costs one look per flow, at its next
packet.  Plan: every flow remembers the plan it was last found right under; with stickiness on, flows of one sticky name
share a `Binding`, which alone knows the target.

Sources: Gateway Load Balancer user guide, "Stickiness", "Target failover", "Idle timeout"; docs/decisions/0010 to 0014.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import blake2b
from math import inf

from forwarder.capture.counters import TargetCounters
from forwarder.capture.drop_reason import DropReason
from forwarder.engine.failover import must_move
from forwarder.engine.flow import CLOSED, HALF_OPEN, Binding, BoundTarget, Flow
from forwarder.engine.flow_key import flow_name, starts_connection, sticky_name, version_of
from forwarder.engine.flow_table import EndpointFlows, FlowTable
from forwarder.plan import HALF_OPEN_TIMEOUT_S, OTHER_IDLE_TIMEOUT_S, EndpointPlan
from forwarder.wire.geneve_codec import IPV4_PROTOCOL, IPV6_PROTOCOL, Codec, Encapsulation, Header, cookie_option
from forwarder.wire.inner_packet import TCP

#: UDP source ports that flows are spread over (RFC 8926 section 3.3).
ENTROPY_PORT_FIRST, ENTROPY_PORTS = 49_152, 16_384
# The ports as objects that flows share: a number of its own would cost each 32 bytes.
_PORTS = tuple(range(ENTROPY_PORT_FIRST, ENTROPY_PORT_FIRST + ENTROPY_PORTS))
#: Flows looked at when a new one finds the table full, before another must give way.
FULL_TABLE_FLOWS_BUDGET = 16
_SYN, _SYN_ACK = 2, 18

#: Load balancer, target group, target id, target address.
TargetKey = tuple[str | None, str | None, str, str]


class Admission:
    """The flow table with the rules of what may enter it and where it is bound.

    `refused` is why the last `admit` or `revise` gave None.
    """

    def __init__(self, *, flows_max: int, secret: bytes, codec: Codec) -> None:
        self.refused = DropReason.UNKNOWN_FLOW
        self._table = FlowTable(flows_max=flows_max)
        self._secret = secret
        self._codec = codec
        self._targets: dict[TargetKey, BoundTarget] = {}
        self._headers: dict[tuple[str, BoundTarget, int], Header] = {}
        self._flows_made = 0
        # Until then a packet that begins no connection may be one of a flow that lost its entry, or never had one.
        self._entries_missing_until_s = -inf

    def __len__(self) -> int:
        return len(self._table)

    @property
    def targets(self) -> list[BoundTarget]:
        """The targets that the plan names or flows are bound to."""
        return list(self._targets.values())

    def plan_changed(self, endpoints: Collection[EndpointFlows], before: Mapping[str, EndpointPlan]) -> None:
        """The endpoints have new plans: know their targets, forget those that no plan names and no flow uses.

        `before` are the plans they had, by id.  Flows that wait for the end of an idle timeout that is shorter now must not go
        on filling the table.
        """
        planned = [(state.plan, position) for state in endpoints for position in range(len(state.plan.targets))]
        kept = {key: bound for key, bound in self._targets.items() if bound.counters.active_flows}
        for plan, position in planned:
            target = plan.targets[position]
            key = _target_key(plan, target.id, target.address)
            kept[key] = self._targets.get(key) or kept.get(key) or _bound_target(plan, position)
        self._targets = kept
        self._headers.clear()
        if any(_is_shortened(before[state.id], state.plan) for state in endpoints if state.id in before):
            self._table.shorten(lambda flow: _idle_timeout_s(flow.endpoint.plan, flow))

    def clear(self, state: EndpointFlows, flows_budget: int) -> int:
        """Forget flows of an endpoint that is gone, no more than `flows_budget`; how many there were."""
        return self._table.clear(state, flows_budget)

    def admit(self, state: EndpointFlows, kind: int, key: bytes, flags: int, now_s: float) -> Flow | None:
        """The flow that begins with a packet of which the table has none."""
        plan, table = state.plan, self._table
        name = sticky_name(kind, key, plan.stickiness) if plan.stickiness else flow_name(kind, key)
        binding = self._live_binding(state, name, now_s)
        if binding is None and not starts_connection(kind, flags) and now_s >= self._entries_missing_until_s:
            self.refused = DropReason.UNKNOWN_FLOW
            return None
        if binding is None and not plan.table:
            self.refused = DropReason.NO_TARGET
            return None
        if table.full and not self._make_room(plan, now_s):
            state.counters.without_entry += 1
            return self._without_entry(state, kind, key, name, binding, now_s)
        flow = self._make_flow(state, kind, key, name, binding, now_s)
        if kind == TCP:
            flow.phase = HALF_OPEN
            if flags & _SYN_ACK == _SYN:  # one that is taken up in its middle is half-open too, and may be quiet for long
                flow.idle_timeout_s = _idle_timeout_s(plan, flow)
        if plan.stickiness:
            _share(state, flow, name, binding, now_s)
        table.add(flow)
        flow.target.counters.new_flows += 1
        state.counters.new_flows += 1
        return flow

    def _make_room(self, plan: EndpointPlan, now_s: float) -> bool:
        """Whether a flow of the full table went.  From then on there are flows that have no entry and go on."""
        self._table.expire(now_s, FULL_TABLE_FLOWS_BUDGET)
        gave_way = "expired" if not self._table.full else self._table.give_way(now_s)
        if gave_way in ("idle", ""):
            self._entries_missing_until_s = max(self._entries_missing_until_s, now_s + plan.tcp_idle_timeout_s)
        return gave_way != ""

    def returning(self, state: EndpointFlows, kind: int, key: bytes, now_s: float) -> Flow | None:
        """The flow of a packet from a target, of which the table has none; None if no flow of ours can be meant."""
        plan = state.plan
        if now_s >= self._entries_missing_until_s or plan.refusal is not None:
            return None
        name = sticky_name(kind, key, plan.stickiness) if plan.stickiness else flow_name(kind, key)
        binding = self._live_binding(state, name, now_s)
        return self._without_entry(state, kind, key, name, binding, now_s) if binding or plan.table else None

    def _without_entry(
        self, state: EndpointFlows, kind: int, key: bytes, name: bytes, binding: Binding | None, now_s: float
    ) -> Flow:
        """What stands for a flow that has no room: port, cookie and target can be told again from its name alone."""
        flow = state.roomless
        flow.kind, flow.key = kind, key
        self._set_up(state, flow, name, binding, now_s)
        return flow

    def revise(self, state: EndpointFlows, flow: Flow, key: bytes, flags: int, now_s: float) -> Flow | None:
        """Look again at a flow that was idle too long, whose plan changed, that is half-open, or closed and may meet a SYN; `key` is
        that of the packet at hand."""
        reopened = flow.phase == CLOSED and flags & _SYN_ACK == _SYN
        if reopened or not self.still_valid(state, flow, now_s):
            self._table.remove(flow)
            return self.admit(state, flow.kind, key, flags, now_s)
        if flow.phase == HALF_OPEN and (key != flow.key or flags & _SYN_ACK != _SYN):
            # An answer came by, or the opener went on, which a sender of forged addresses cannot.
            self._table.settle(flow)
            flow.idle_timeout_s = _idle_timeout_s(state.plan, flow)
            if flow.binding is not None:
                flow.binding.idle_timeout_s = max(flow.binding.idle_timeout_s, flow.idle_timeout_s)
        return flow

    def note_closing(self, flow: Flow, direction: int, flags: int) -> None:
        """A FIN or RST passed in that direction."""
        self._table.note_closing(flow, direction, flags)

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
        self._table.expire(now_s, flows_budget)

    def clock_stepped(self, by_s: float, endpoints: Collection[EndpointFlows]) -> None:
        """The clock was set by `by_s`: flows and bindings are as old as before."""
        self._table.clock_stepped(by_s)
        self._entries_missing_until_s += by_s
        for state in endpoints:
            for binding in state.bindings.values():
                binding.last_s += by_s

    def _make_flow(
        self, state: EndpointFlows, kind: int, key: bytes, name: bytes, binding: Binding | None, now_s: float
    ) -> Flow:
        flow = Flow(endpoint=state, kind=kind, key=key)
        self._set_up(state, flow, name, binding, now_s)
        return flow

    def _set_up(self, state: EndpointFlows, flow: Flow, name: bytes, binding: Binding | None, now_s: float) -> None:
        flow.binding = None
        flow.last_s = now_s
        flow.idle_timeout_s = _idle_timeout_s(state.plan, flow)
        identity = self._identity(state, flow, now_s)
        flow.entropy_port = _PORTS[(identity >> 32) % ENTROPY_PORTS]
        flow.cookie_option = cookie_option(identity & 0xFFFFFFFF)
        self._bind(state, flow, binding.target if binding else self._pick(state, name))

    def _identity(self, state: EndpointFlows, flow: Flow, now_s: float) -> int:
        """64 bits that port and cookie are made of.  The count gives every incarnation of a 5-tuple others; while there are
        flows without an entry they must be the same with one."""
        if now_s < self._entries_missing_until_s:
            return self._hash(state, bytes(8) + flow_name(flow.kind, flow.key))
        self._flows_made += 1
        return self._hash(state, self._flows_made.to_bytes(8, "big") + flow.key)

    def _hash(self, state: EndpointFlows, name: bytes) -> int:
        digest = blake2b(name, digest_size=8, key=self._secret, salt=state.plan.endpoint_number.to_bytes(8, "big"))
        return int.from_bytes(digest.digest(), "big")

    def _pick(self, state: EndpointFlows, name: bytes) -> BoundTarget:
        """The target that the table has for this flow name or sticky name."""
        plan = state.plan
        target = plan.targets[plan.table[self._hash(state, name) % len(plan.table)]]
        return self._targets[_target_key(plan, target.id, target.address)]

    def _bind(self, state: EndpointFlows, flow: Flow, target: BoundTarget) -> None:
        """Put the flow on `target` under the present plan."""
        plan = flow.plan = state.plan
        flow.target = target
        version = version_of(flow.kind, flow.key)
        header = self._headers.get((state.id, target, version))
        if header is None:
            header = self._headers[state.id, target, version] = self._codec.header(Encapsulation(
                plan.node_address, target.address_bytes, 0, plan.endpoint_number, plan.attachment_number, 0,
                IPV4_PROTOCOL if version == 4 else IPV6_PROTOCOL,
            ))
        flow.header = header

    def _live_binding(self, state: EndpointFlows, name: bytes, now_s: float) -> Binding | None:
        plan = state.plan
        binding = state.bindings.get(name) if plan.stickiness else None
        if binding is None or now_s - binding.last_s >= binding.idle_timeout_s or not _same_node(binding.plan, plan):
            return None
        self._revise_binding(state, binding)
        return binding

    def _revise_binding(self, state: EndpointFlows, binding: Binding) -> None:
        if binding.plan is not state.plan:
            binding.target = self._right_target(state, binding.target, binding.name)
            binding.plan = state.plan

    def _right_target(self, state: EndpointFlows, target: BoundTarget, name: bytes) -> BoundTarget:
        """The target that what is bound to `target` belongs on under the present plan: the same, unless it must move."""
        plan = state.plan
        now = plan.target_now(target.id, target.address)
        if must_move(now, rebalance=plan.rebalance, healthy_exists=plan.healthy_exists):
            return self._pick(state, name)
        return target

    def _follow_plan(self, state: EndpointFlows, flow: Flow) -> None:
        plan = state.plan
        flow.idle_timeout_s = _idle_timeout_s(plan, flow)
        if flow.binding is None:
            target = self._right_target(state, flow.target, flow_name(flow.kind, flow.key))
        else:
            self._revise_binding(state, flow.binding)
            target = flow.binding.target
        flow.target.counters.active_flows -= 1
        target.counters.active_flows += 1
        self._bind(state, flow, target)


def _share(state: EndpointFlows, flow: Flow, name: bytes, binding: Binding | None, now_s: float) -> None:
    """Let the flow use its sticky name's binding, making it if there is none that lives."""
    if binding is None:
        binding = state.bindings[name] = Binding(
            name=name, target=flow.target, plan=state.plan, idle_timeout_s=flow.idle_timeout_s, now_s=now_s,
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
