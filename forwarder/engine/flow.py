"""What the engine knows of a flow: what it is bound to, what its two directions did, and that by capture window.

Forward is the direction of the flow's first packet, whose key the flow has; the other direction's key is that key turned round,
and is stored nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forwarder.capture.counters import TargetCounters
from forwarder.engine.flow_key import address_bytes

if TYPE_CHECKING:
    from forwarder.engine.flow_table import EndpointFlows
    from forwarder.plan import EndpointPlan
    from forwarder.wire.geneve_codec import Header

#: A flow's phases.  Half-open: TCP of which only the first packet was seen, so that anybody may have sent it.  Gone: not in the
#: table, not yet or no more.
SETTLED, HALF_OPEN, CLOSED, GONE = 0, 1, 2, 3
#: Directions, to be added up.
FORWARD, BACK = 1, 2


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
    """What flows of one sticky name share, with stickiness on: the target.

    `plan` is the plan under which `target` was last found right; `last_s` the time of the last packet; `flows` how many
    flow-table entries use it.
    """

    __slots__ = ("flows", "idle_timeout_s", "last_s", "name", "plan", "target")

    def __init__(self, *, name: bytes, target: BoundTarget, plan: EndpointPlan, idle_timeout_s: float, now_s: float) -> None:
        self.name = name
        self.target = target
        self.plan = plan
        self.idle_timeout_s = idle_timeout_s
        self.last_s = now_s
        self.flows = 0


class Flow:
    """A flow.  `last_s` is the time of its last packet in either direction; times are epoch seconds.

    `phase` is `SETTLED`, `HALF_OPEN`, `GONE` or `CLOSED`: then a TCP reset passed, or both directions' FIN, and the next SYN starts a
    new flow under the same key.  `before` and `after` are its neighbours in a `FlowQueue`.

    For each direction, forward and back: its part in a capture window (None when it did nothing in the last ones), and its
    balance, which is packets sent minus packets returned over the flow's life.  `finished` are the directions in which a FIN
    passed, `FORWARD` and `BACK` added up.
    """

    __slots__ = (
        "after", "back_balance", "back_part", "before", "binding", "cookie_option", "endpoint", "entropy_port",
        "finished", "forward_balance", "forward_part", "header", "idle_timeout_s", "key", "kind", "last_s", "phase", "plan",
        "target",
    )

    binding: Binding | None
    cookie_option: bytes
    entropy_port: int
    header: Header
    idle_timeout_s: float
    last_s: float
    plan: EndpointPlan
    target: BoundTarget

    def __init__(self, *, endpoint: EndpointFlows, kind: int, key: bytes) -> None:
        self.endpoint = endpoint
        self.kind = kind
        self.key = key
        self.phase = GONE
        self.forward_part: Part | None = None
        self.back_part: Part | None = None
        self.forward_balance = self.back_balance = 0
        self.finished = 0
        self.before: Flow | None = None
        self.after: Flow | None = None

    @property
    def alive(self) -> bool:
        """Whether it is in the table."""
        return self.phase != GONE

    def part(self, key: bytes) -> Part | None:
        """What the direction with that key did in a capture window."""
        return self.forward_part if key == self.key else self.back_part

    def unsend(self, key: bytes) -> bool:
        """A packet of that direction was not sent after all; whether more of them returned than were sent."""
        if key == self.key:
            self.forward_balance -= 1
            return self.forward_balance < 0
        self.back_balance -= 1
        return self.back_balance < 0


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
