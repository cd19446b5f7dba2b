"""Flows: which target each is bound to, and when it has been idle too long.

Operations: find a direction by the packet's key (a plain dict lookup by the engine), add a flow, remove it, expire.
Goals: both directions lead to one flow; keys of different endpoints never meet; never more than `flows_max` flows;
expiry does a bounded amount of work per call; who floods the table with opening packets drives out his own.  Plan: per
endpoint and kind one dict from key to `Direction`; one heap of (time at which the flow could be idle, flow) in which a flow
that was used meanwhile is simply put back; the half-open and the closed flows besides in the order in which they became so.

Not here: which target a flow gets (`engine`, `target_table`, `failover`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from forwarder.engine.counters import EndpointCounters, TargetCounters
from forwarder.engine.flow_key import address_bytes, reverse_key
from forwarder.wire.inner_packet import KINDS

_FIN, _RST = 1, 4

#: A flow's phases.  Half-open: TCP of which only the opening packet was seen, so that anybody may have sent it.
SETTLED, HALF_OPEN, CLOSED = 0, 1, 2
#: How long a flow must have been idle before it gives way to a new one.
GIVES_WAY_IDLE_S = 10.0
#: Flows looked at for one that has been idle longest.
GIVE_WAY_FLOWS_BUDGET = 16

if TYPE_CHECKING:
    from forwarder.engine.plan import EndpointPlan
    from forwarder.wire.geneve_codec import Header


class BoundTarget:
    """A target as flows are bound to it; outlives the plan that named it.  `counters` are those of the target."""

    __slots__ = ("address", "address_bytes", "counters", "id", "zone_id")

    def __init__(self, *, id: str, address: str, zone_id: str, counters: TargetCounters) -> None:  # noqa: A002
        self.id = id
        self.address = address
        self.address_bytes = address_bytes(address)
        self.zone_id = zone_id
        self.counters = counters


class Binding:
    """What sticks to one target as a whole: a flow itself, or with stickiness on, all flows of the same sticky name.

    `plan` is the plan under which `target` was last found right; `last_s` the time of the last packet of a shared
    binding; `flows` how many flow-table entries use a shared one.
    """

    __slots__ = ("flows", "idle_timeout_s", "last_s", "name", "plan", "slot_hash", "target")

    def __init__(
        self, *, name: bytes, target: BoundTarget, plan: EndpointPlan, slot_hash: int, idle_timeout_s: float,
        now_s: float,
    ) -> None:
        self.name = name
        self.target = target
        self.plan = plan
        self.slot_hash = slot_hash
        self.idle_timeout_s = idle_timeout_s
        self.last_s = now_s
        self.flows = 0


class Flow:
    """A flow.  `last_s` is the time of its last packet in either direction; times are epoch seconds.

    `phase` is `SETTLED`, `HALF_OPEN` or `CLOSED`: then a TCP reset passed, or both directions' FIN, and the next SYN starts a
    new flow under the same key.
    """

    __slots__ = (
        "alive", "backward", "binding", "cookie", "cookie_option", "endpoint", "entropy_port", "forward", "header",
        "idle_timeout_s", "kind", "last_s", "phase", "plan", "slot_hash", "target",
    )

    alive: bool
    backward: Direction
    binding: Binding | None
    cookie: int
    cookie_option: bytes
    endpoint: int
    entropy_port: int
    forward: Direction
    header: Header
    idle_timeout_s: float
    kind: int
    last_s: float
    phase: int
    plan: EndpointPlan
    slot_hash: int
    target: BoundTarget

    def __init__(self, *, endpoint: int, kind: int, key: bytes) -> None:
        self.endpoint = endpoint
        self.kind = kind
        self.alive = False
        self.phase = SETTLED
        self.forward = Direction(self, key)
        other = reverse_key(kind, key)
        self.backward = self.forward if other == key else Direction(self, other)


class Part:
    """What one direction did in one capture window, while bound to one target.

    `in_*`: from the endpoint, sent to the target; `out_*`: returned and delivered.  Times are epoch seconds.
    """

    __slots__ = (
        "flow", "in_bytes", "in_first_s", "in_flags", "in_last_s", "in_packets", "key", "out_bytes", "out_first_s",
        "out_flags", "out_last_s", "out_packets", "target", "window",
    )

    def __init__(self, flow: Flow, key: bytes, window: int) -> None:
        self.flow = flow
        self.key = key
        self.target = flow.target
        self.window = window
        self.in_packets = self.in_bytes = self.in_flags = 0
        self.out_packets = self.out_bytes = self.out_flags = 0
        self.in_first_s = self.in_last_s = self.out_first_s = self.out_last_s = 0.0


class Direction:
    """One direction of a flow: its key and its part in a capture window (None before the first packet).

    `balance` is packets sent minus packets returned over the flow's life; `fin`: a FIN passed.
    """

    __slots__ = ("balance", "fin", "flow", "key", "part")

    def __init__(self, flow: Flow, key: bytes) -> None:
        self.flow = flow
        self.key = key
        self.part: Part | None = None
        self.balance = 0
        self.fin = False


class EndpointFlows:
    """One endpoint's flows, shared bindings, counters and present plan.

    `directions[kind]` maps a key to a `Direction`; the engine looks it up once per packet.
    """

    __slots__ = ("bindings", "counters", "directions", "index", "plan")

    def __init__(self, index: int, plan: EndpointPlan) -> None:
        self.index = index
        self.plan = plan
        self.directions: list[dict[bytes, Direction]] = [{} for _ in KINDS]
        self.bindings: dict[bytes, Binding] = {}
        self.counters = EndpointCounters()


class FlowTable:
    """All flows of all endpoints."""

    def __init__(self, *, flows_max: int) -> None:
        self._flows_max = flows_max
        # Removed flows stay in the heap until their time comes or, at this many entries, are swept out together.
        self._heap_entries_max = 2 * flows_max
        self._heap: list[tuple[float, int, Flow]] = []
        # Not a queue that is cleaned when its turn comes: somebody who opens and resets one tuple would fill it.
        self._half_open: OrderedDict[Flow, None] = OrderedDict()
        self._closed: OrderedDict[Flow, None] = OrderedDict()
        self._added = 0
        self._count = 0
        #: Flows that had to go for a new one, by what they were.
        self.gave_way: dict[str, int] = {}

    def __len__(self) -> int:
        return self._count

    @property
    def heap_entries(self) -> int:
        """Flows waiting to be looked at by `expire`, removed ones included."""
        return len(self._heap)

    @property
    def full(self) -> bool:
        """Whether no flow can be added."""
        return self._count >= self._flows_max

    def add(self, flow: Flow, endpoint: EndpointFlows) -> None:
        """Add a flow whose attributes are set, under both keys; the caller saw that the table is not full."""
        assert not self.full
        directions = endpoint.directions[flow.kind]
        directions[flow.forward.key] = flow.forward
        directions[flow.backward.key] = flow.backward
        flow.alive = True
        endpoint.counters.active_flows += 1
        flow.target.counters.active_flows += 1
        self._count += 1
        self._added += 1
        if len(self._heap) >= self._heap_entries_max:
            self._heap = [entry for entry in self._heap if entry[2].alive]
            heapify(self._heap)
        heappush(self._heap, (flow.last_s + flow.idle_timeout_s, self._added, flow))
        if flow.phase == HALF_OPEN:
            self._half_open[flow] = None
        assert len(self._half_open) + len(self._closed) <= self._count <= self._flows_max

    def settle(self, flow: Flow) -> None:
        """A half-open flow is no more: somebody answered, or went on."""
        assert flow.phase == HALF_OPEN
        flow.phase = SETTLED
        del self._half_open[flow]

    def note_closing(self, direction: Direction, flags: int) -> None:
        """A FIN or RST passed.  The flow stays until it idles out, as in AWS, but a SYN may now begin another."""
        flow = direction.flow
        if flags & _FIN:
            direction.fin = True
        if flow.phase != CLOSED and (flags & _RST or (flow.forward.fin and flow.backward.fin)):
            self._half_open.pop(flow, None)
            flow.phase = CLOSED
            self._closed[flow] = None

    def give_way(self, now_s: float, endpoints: list[EndpointFlows]) -> bool:
        """Remove one flow so that a new one has room: the oldest half-open one, else the one closed first, else the one that
        has been idle longest, if that is long enough.  False when there is none."""
        for name, waiting in (("half_open", self._half_open), ("closed", self._closed)):
            if waiting:
                return self._give_way(next(iter(waiting)), name, endpoints)
        flow = self._idle_longest(now_s)
        return flow is not None and self._give_way(flow, "idle", endpoints)

    def _give_way(self, flow: Flow, name: str, endpoints: list[EndpointFlows]) -> bool:
        self.remove(flow, endpoints[flow.endpoint])
        self.gave_way[name] = self.gave_way.get(name, 0) + 1
        return True

    def _idle_longest(self, now_s: float) -> Flow | None:
        """The flow whose time comes first, once what the heap says of it is true; None if it was used a moment ago."""
        for _ in range(GIVE_WAY_FLOWS_BUDGET):
            if not self._heap:
                return None
            told_s, number, flow = self._heap[0]
            due_s = flow.last_s + flow.idle_timeout_s
            if flow.alive and due_s <= told_s:
                return flow if now_s - flow.last_s >= GIVES_WAY_IDLE_S else None
            heappop(self._heap)
            if flow.alive:
                heappush(self._heap, (due_s, number, flow))
        return None

    def remove(self, flow: Flow, endpoint: EndpointFlows) -> None:
        """Forget a flow; its record of the open window is kept there.  It must not be used any more."""
        directions = endpoint.directions[flow.kind]
        del directions[flow.forward.key]
        directions.pop(flow.backward.key, None)  # the same key when a host talks to itself
        flow.alive = False
        self._half_open.pop(flow, None)
        self._closed.pop(flow, None)
        # Without this the flow and its directions would hold each other until the cycle collector comes by, and that
        # stops the packet thread for a third of a second when there are 200,000 flows.
        del flow.forward, flow.backward
        flow.target.counters.active_flows -= 1
        endpoint.counters.active_flows -= 1
        self._count -= 1
        if flow.binding is not None:
            release(flow.binding, endpoint)

    def expire(self, now_s: float, flows_budget: int, endpoints: list[EndpointFlows]) -> int:
        """Look at no more than `flows_budget` flows whose time has come; remove the idle ones and tell how many."""
        removed = 0
        for _ in range(flows_budget):
            if not self._heap or self._heap[0][0] > now_s:
                break
            _, number, flow = heappop(self._heap)
            if not flow.alive:
                continue
            due_s = flow.last_s + flow.idle_timeout_s
            if due_s > now_s:
                heappush(self._heap, (due_s, number, flow))
            else:
                self.remove(flow, endpoints[flow.endpoint])
                removed += 1
        return removed

    def shorten(self, idle_timeout_s: Callable[[Flow], float]) -> None:
        """Give each flow the idle timeout that is told for it, if that is shorter.  Takes time with the number of flows."""
        for _, _, flow in self._heap:
            flow.idle_timeout_s = min(flow.idle_timeout_s, idle_timeout_s(flow))
        self._sort_anew()

    def clock_stepped(self, by_s: float) -> None:
        """The clock was set by `by_s`: every flow is as old as before.  Takes time with the number of flows."""
        for _, _, flow in self._heap:
            flow.last_s += by_s
        self._sort_anew()

    def _sort_anew(self) -> None:
        self._heap = [
            (flow.last_s + flow.idle_timeout_s, number, flow) for _, number, flow in self._heap if flow.alive
        ]
        heapify(self._heap)

    def flows(self, endpoint: EndpointFlows) -> Iterator[Flow]:
        """Every flow of an endpoint once, for tests and inspection."""
        for directions in endpoint.directions:
            for key, direction in directions.items():
                if direction.flow.forward.key == key:
                    yield direction.flow


def release(binding: Binding, endpoint: EndpointFlows) -> None:
    """One flow fewer uses a shared binding; the last one takes it along."""
    binding.flows -= 1
    if not binding.flows and endpoint.bindings.get(binding.name) is binding:
        del endpoint.bindings[binding.name]
