"""What the engine counts, as values others may keep.

All numbers are cumulative since the engine was made, except `active_flows`, `not_returned` and `originated`, which are
as of now.  For every endpoint, at any time:

    offered              = sent + dropped on ingress
    sent + originated    = returned + not_returned
    returned             = delivered + dropped[deliver_failed]
    offered + originated = delivered + sum(dropped.values())          (`dropped` has all of these)
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from forwarder.engine.drop_reason import DropReason


@dataclass(slots=True, kw_only=True)
class EndpointCounters:
    """One endpoint.  Bytes are lengths of inner IP packets.

    `dropped` holds ingress reasons, `not_returned` and `deliver_failed`; `refused` holds what was refused of the
    targets' datagrams, which is no part of the sums above.  `rejected_flows` counts a refused flow once per window;
    `without_entry` are packets sent that found no room in the flow table; `unrecorded` are packets that no flow record tells
    of for want of room, those among them, so SKIPDATA does.
    """

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
    """A copy of all counters.  `endpoints[i]` belongs to `plan.endpoints[i]`.

    `refused_unattributed` counts refused datagrams that name no endpoint of ours; `flows` is the number of flow-table
    entries, `gave_way` those that had to go for a new flow, by what they were: `half_open`, `closed` or `idle`.
    """

    endpoints: list[EndpointCounters]
    targets: list[TargetCounters]
    refused_unattributed: dict[DropReason, int]
    flows: int
    gave_way: dict[str, int] = field(default_factory=dict)


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
