"""What the engine counts, as values others may keep.

All numbers are cumulative since the engine was made, except `active_flows`, `not_returned` and `originated`, which are
as of now.  For every endpoint, at any time:

    offered              = sent + dropped on ingress
    sent + originated    = returned + not_returned
    returned             = delivered + dropped[deliver_failed]
    offered + originated = delivered + sum(dropped.values())          (`dropped` has all of these)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace

from forwarder.capture.drop_reason import DropReason


@dataclass(slots=True, kw_only=True)
class EndpointCounters:
    """One endpoint, and the load balancer (dimension) and zone it belongs to now.  Bytes are lengths of inner IP packets.

    `dropped` holds ingress reasons, `not_returned` and `deliver_failed`; `refused` holds what was refused of the
    targets' datagrams, which is no part of the sums above.  `rejected_flows` counts a refused flow once per window;
    `without_entry` are packets sent that found no room in the flow table; `unrecorded` are packets that no flow record tells
    of for want of room, those among them, so SKIPDATA does.
    """

    load_balancer: str | None = None
    zone: str = ""
    offered: int = 0
    sent: int = 0
    sent_bytes: int = 0
    returned: int = 0
    returned_bytes: int = 0
    delivered: int = 0
    delivered_bytes: int = 0
    originated: int = 0
    new_flows: int = 0
    active_flows: int = 0
    rejected_flows: int = 0
    rejected_flows_tcp: int = 0
    without_entry: int = 0
    unrecorded: int = 0
    dropped: dict[DropReason, int] = field(default_factory=dict)
    refused: dict[DropReason, int] = field(default_factory=dict)

    @property
    def not_returned(self) -> int:
        """Packets sent that no target gave back, summed over flows and directions."""
        return self.sent - self.returned + self.originated

    @property
    def processed_packets(self) -> int:
        """Packets to and from targets."""
        return self.sent + self.returned

    @property
    def processed_bytes(self) -> int:
        """Inner bytes to and from targets; GENEVE adds 68 to each packet."""
        return self.sent_bytes + self.returned_bytes


_NUMBERS = tuple(each.name for each in fields(EndpointCounters) if each.default == 0)


@dataclass(slots=True, kw_only=True)
class TargetCounters:
    """One target of one load balancer (as dimensions); bytes are lengths of inner packets."""

    load_balancer: str
    target_group: str
    target_id: str
    address: str
    zone: str
    sent_packets: int = 0
    sent_bytes: int = 0
    returned_packets: int = 0
    returned_bytes: int = 0
    new_flows: int = 0
    active_flows: int = 0


@dataclass(slots=True, kw_only=True)
class EngineCounters:
    """A copy of all counters, endpoints by id: those of the plan, and those that are gone until they were handed in once more.
    `gone` is the sum of all that went before.

    `refused_unattributed` counts refused datagrams that name no endpoint of ours; `flows` is the number of flow-table
    entries, `gave_way` those that had to go for a new flow, by what they were: `half_open`, `closed` or `idle`.
    """

    endpoints: dict[str, EndpointCounters]
    targets: list[TargetCounters]
    refused_unattributed: dict[DropReason, int]
    flows: int
    gave_way: dict[str, int] = field(default_factory=dict)
    gone: EndpointCounters = field(default_factory=EndpointCounters)

    @property
    def whole(self) -> EndpointCounters:
        """The sum over all endpoints there are and were."""
        return add_up([*self.endpoints.values(), self.gone])


def add_up(parts: Iterable[EndpointCounters]) -> EndpointCounters:
    """The sum of endpoints' counters, of no load balancer."""
    whole, dropped, refused = EndpointCounters(), Counter[DropReason](), Counter[DropReason]()
    for part in parts:
        for name in _NUMBERS:
            setattr(whole, name, getattr(whole, name) + getattr(part, name))
        dropped.update(part.dropped)
        refused.update(part.refused)
    whole.dropped, whole.refused = dict(dropped), dict(refused)
    return whole


def snapshot(counters: EndpointCounters, *, unrecorded: int) -> EndpointCounters:
    """A copy whose `dropped` has `not_returned` too, and that says what the windows had no room for."""
    assert min(
        counters.offered, counters.sent, counters.sent_bytes, counters.returned, counters.returned_bytes, counters.delivered,
        counters.delivered_bytes, counters.originated, counters.new_flows, counters.active_flows, counters.not_returned,
    ) >= 0, "no count is ever negative"
    dropped = {reason: packets for reason, packets in counters.dropped.items() if packets}
    if counters.not_returned:
        dropped[DropReason.NOT_RETURNED] = counters.not_returned
    return replace(counters, dropped=dropped, refused=dict(counters.refused), unrecorded=unrecorded)
