"""The flow table: which flows there are, under which keys, and which of them goes first.

Operations: find a flow by the packet's key (a plain dict lookup by the engine), add a flow, remove it, expire.
Goals: both directions lead to one flow; keys of different endpoints never meet; never more than `flows_max` flows; expiry does
a bounded amount of work per call; who floods the table with opening packets drives out his own; a flow takes less than 400
bytes (benchmarks/flood.py).  Plan: per endpoint and kind one dict from the key of a flow's first packet to the flow; a packet
that goes back is looked up by its own key, which is none, and then by that turned round, which costs it a third of a
microsecond and spares the flow 150 bytes.  `IdleTimes` tell which flow to look at next; the half-open and the closed flows wait
besides in the order in which they became so.

Not here: which target a flow gets (`admission`, `target_table`, `failover`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from forwarder.capture.counters import EndpointCounters
from forwarder.engine.flow import BACK, CLOSED, FORWARD, GONE, HALF_OPEN, SETTLED, Binding, Flow
from forwarder.engine.flow_key import reverse_key
from forwarder.engine.flow_queue import FlowQueue
from forwarder.engine.idle_times import IdleTimes, due_second
from forwarder.wire.inner_packet import KINDS, TCP

if TYPE_CHECKING:
    from forwarder.plan import EndpointPlan

_FIN, _RST = 1, 4

#: How long a flow must have been idle before it gives way to a new one.
GIVES_WAY_IDLE_S = 10.0
#: How long a half-open flow waits for its answer before it gives way to a new one ahead of closed flows.
GIVES_WAY_HALF_OPEN_S = 3.0
#: Flows looked at for one that has been idle longest.
GIVE_WAY_FLOWS_BUDGET = 16
#: Flows that went before their time are swept out of the waiting ones once they are this part of the table,
SWEEP_PART = 32
#: and so many are looked at for each that may be looked at for expiry, which costs 30 times as much.
SWEEP_FLOWS_PER_LOOK = 8


class EndpointFlows:
    """One endpoint's flows, shared bindings, counters and present plan; its identity is the endpoint's id.

    `flows[kind]` maps the key of a flow's first packet to the flow.  `roomless` stands for every flow that has no entry, one
    packet at a time; over all of them its balance is right.
    """

    __slots__ = ("bindings", "counters", "flows", "id", "plan", "roomless")

    def __init__(self, plan: EndpointPlan) -> None:
        self.id = plan.endpoint_id
        self.plan = plan
        self.flows: list[dict[bytes, Flow]] = [{} for _ in KINDS]
        self.bindings: dict[bytes, Binding] = {}
        self.counters = EndpointCounters()
        self.roomless = Flow(endpoint=self, kind=TCP, key=b"")

    def find(self, kind: int, key: bytes) -> Flow | None:
        """The flow of a packet with that key, whichever way it goes."""
        flows = self.flows[kind]
        return flows.get(key) or flows.get(reverse_key(kind, key))


class FlowTable:
    """All flows of all endpoints."""

    def __init__(self, *, flows_max: int) -> None:
        self._flows_max = flows_max
        # Removed flows stay among the idle times until theirs comes or, at this many entries, are swept out together.
        self._waiting_max = 2 * flows_max
        self._idle_times = IdleTimes()
        self._half_open = FlowQueue()
        self._closed = FlowQueue()
        self._count = 0
        #: Flows that had to go for a new one, by what they were.
        self.gave_way: dict[str, int] = {}

    def __len__(self) -> int:
        return self._count

    @property
    def waiting(self) -> int:
        """Flows waiting to be looked at by `expire`, removed ones included."""
        return len(self._idle_times)

    @property
    def full(self) -> bool:
        """Whether no flow can be added."""
        return self._count >= self._flows_max

    def add(self, flow: Flow) -> None:
        """Add a flow whose attributes are set, settled unless it has another phase; the caller saw that the table
        has room and does not have it."""
        assert not self.full
        endpoint = flow.endpoint
        endpoint.flows[flow.kind][flow.key] = flow
        if flow.phase == GONE:
            flow.phase = SETTLED
        endpoint.counters.active_flows += 1
        flow.target.counters.active_flows += 1
        self._count += 1
        if len(self._idle_times) >= self._waiting_max:
            self._sort_anew()
        self._idle_times.put(flow)
        if flow.phase == HALF_OPEN:
            self._half_open.append(flow)
        assert len(self._half_open) + len(self._closed) <= self._count <= self._flows_max

    def settle(self, flow: Flow) -> None:
        """A half-open flow is no more: somebody answered, or went on."""
        assert flow.phase == HALF_OPEN
        flow.phase = SETTLED
        self._half_open.remove(flow)

    def note_closing(self, flow: Flow, direction: int, flags: int) -> None:
        """A FIN or RST passed, `FORWARD` or `BACK`.  The flow stays until it idles out, as in AWS, but a SYN may now begin another."""
        if flow.phase == CLOSED or not flow.alive:
            return
        if flags & _FIN:
            flow.finished |= direction
        if flags & _RST or flow.finished == FORWARD | BACK:
            if flow.phase == HALF_OPEN:
                self._half_open.remove(flow)
            flow.phase = CLOSED
            self._closed.append(flow)

    def give_way(self, now_s: float) -> str:
        """Remove one flow so that a new one has room, and tell what it was: the oldest `half_open` one unless its answer may be
        under way, else the one `closed` first, else that half-open one all the same, else the one `idle` longest, if that is long
        enough.  Empty when there is none."""
        half_open, closed = self._half_open.first, self._closed.first
        if half_open is not None and (closed is None or now_s - half_open.last_s >= GIVES_WAY_HALF_OPEN_S):
            name, goes = "half_open", half_open
        elif closed is not None:
            name, goes = "closed", closed
        else:
            longest = self._idle_longest(now_s)
            if longest is None:
                return ""
            name, goes = "idle", longest
        self.remove(goes)
        self.gave_way[name] = self.gave_way.get(name, 0) + 1
        return name

    def _idle_longest(self, now_s: float) -> Flow | None:
        """The flow whose time comes first, once what is said of that is true; None if it was used a moment ago."""
        for _ in range(GIVE_WAY_FLOWS_BUDGET):
            if self._idle_times.second is None:
                return None
            flow = self._idle_times.first
            if flow.alive and due_second(flow) <= self._idle_times.second:
                return flow if now_s - flow.last_s >= GIVES_WAY_IDLE_S else None
            self._idle_times.drop_first()
            if flow.alive:
                self._idle_times.put(flow)
        return None

    def remove(self, flow: Flow) -> None:
        """Forget a flow; its record of the open window is kept there.  It must not be used any more."""
        assert flow.alive
        endpoint = flow.endpoint
        del endpoint.flows[flow.kind][flow.key]
        if flow.phase != SETTLED:
            (self._half_open if flow.phase == HALF_OPEN else self._closed).remove(flow)
        flow.phase = GONE
        # Without this flow and part would hold each other until the cycle collector comes by, and that stops the packet thread
        # for a third of a second when there are 200,000 flows.
        flow.forward_part = flow.back_part = None
        flow.target.counters.active_flows -= 1
        endpoint.counters.active_flows -= 1
        self._count -= 1
        assert min(flow.target.counters.active_flows, endpoint.counters.active_flows, self._count) >= 0
        if flow.binding is not None:
            release(flow.binding, endpoint)

    def expire(self, now_s: float, flows_budget: int) -> int:
        """Look at no more than `flows_budget` flows whose time has come; remove the idle ones and tell how many."""
        removed = 0
        if self.waiting > self._count + self._count // SWEEP_PART:
            self._idle_times.sweep(SWEEP_FLOWS_PER_LOOK * flows_budget)
        for _ in range(flows_budget):
            if self._idle_times.second is None or self._idle_times.second > now_s:
                break
            flow = self._idle_times.drop_first()
            if not flow.alive:
                continue
            if flow.last_s + flow.idle_timeout_s > now_s:
                self._idle_times.put(flow)
            else:
                self.remove(flow)
                removed += 1
        return removed

    def clear(self, endpoint: EndpointFlows, flows_budget: int) -> int:
        """Remove no more than `flows_budget` flows of an endpoint that is gone; how many there were."""
        flows = list(islice(self.flows(endpoint), flows_budget))
        for flow in flows:
            self.remove(flow)
        return len(flows)

    def shorten(self, idle_timeout_s: Callable[[Flow], float]) -> None:
        """Give each flow the idle timeout that is told for it, if that is shorter.  Takes time with the number of flows."""
        for flow in self._idle_times:
            if flow.alive:
                flow.idle_timeout_s = min(flow.idle_timeout_s, idle_timeout_s(flow))
        self._sort_anew()

    def clock_stepped(self, by_s: float) -> None:
        """The clock was set by `by_s`: every flow is as old as before.  Takes time with the number of flows."""
        for flow in self._idle_times:
            flow.last_s += by_s
        self._sort_anew()

    def _sort_anew(self) -> None:
        self._idle_times = IdleTimes(flow for flow in self._idle_times if flow.alive)
        assert len(self._idle_times) <= self._count

    def flows(self, endpoint: EndpointFlows) -> Iterator[Flow]:
        """Every flow of an endpoint once, for tests and inspection."""
        for flows in endpoint.flows:
            yield from flows.values()


def release(binding: Binding, endpoint: EndpointFlows) -> None:
    """One flow fewer uses a shared binding; the last one takes it along."""
    binding.flows -= 1
    assert binding.flows >= 0
    if not binding.flows and endpoint.bindings.get(binding.name) is binding:
        del endpoint.bindings[binding.name]
