"""The capture window: what each flow did since the last one closed, as columns.

Operations: note a flow's direction (once per window), note a refused packet, close.  Goals: nothing per packet but
additions; closing takes no time in the packet thread (the columns are made when they are first read, by whoever reads
them); bounded by `parts_max` and `rejects_max`, and packets that do not fit are counted per endpoint as skipped, for
SKIPDATA records.  Plan: a direction's numbers of one window are an object of their own, a `Part`, which is handed out
with the closed window while the direction begins another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from forwarder.capture.drop_reason import DropReason
from forwarder.engine.flow import Flow, Part
from forwarder.engine.flow_key import address_text, addresses_of, ports_of, protocol_of, version_of

if TYPE_CHECKING:
    from forwarder.plan import EndpointPlan

#: (endpoint id, reason, kind or `UNREADABLE`, key)
RejectKey = tuple[str, DropReason, int, bytes]
#: Kind of a malformed packet, which has no key.
UNREADABLE = -1


@dataclass(slots=True)
class AcceptedFlows:
    """One entry per flow, direction and target that had packets.  Lists are parallel.

    `endpoint` is its id.  *Ingress*: handed to the gateway and sent to the target; *egress*: returned
    by the target and delivered.  A side without packets has 0 everywhere.  Times are epoch seconds; bytes are inner IP
    lengths; `tcp_flags` as flow records count them; ports are 0 for protocols without ports and for fragments.
    """

    endpoint: list[str] = field(default_factory=list)
    target_id: list[str] = field(default_factory=list)
    target_address: list[str] = field(default_factory=list)
    target_zone_id: list[str] = field(default_factory=list)
    entropy_port: list[int] = field(default_factory=list)
    source_address: list[str] = field(default_factory=list)
    destination_address: list[str] = field(default_factory=list)
    source_port: list[int] = field(default_factory=list)
    destination_port: list[int] = field(default_factory=list)
    protocol: list[int] = field(default_factory=list)
    ip_version: list[int] = field(default_factory=list)
    ingress_packets: list[int] = field(default_factory=list)
    ingress_bytes: list[int] = field(default_factory=list)
    ingress_first_s: list[float] = field(default_factory=list)
    ingress_last_s: list[float] = field(default_factory=list)
    ingress_tcp_flags: list[int] = field(default_factory=list)
    egress_packets: list[int] = field(default_factory=list)
    egress_bytes: list[int] = field(default_factory=list)
    egress_first_s: list[float] = field(default_factory=list)
    egress_last_s: list[float] = field(default_factory=list)
    egress_tcp_flags: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.endpoint)


@dataclass(slots=True)
class RejectedFlows:
    """One entry per endpoint, reason and flow that was refused.  Lists are parallel; units as in `AcceptedFlows`.

    A malformed packet has no addresses: `-`, `-`, and 0 in ports, protocol and version.
    """

    endpoint: list[str] = field(default_factory=list)
    reason: list[DropReason] = field(default_factory=list)
    source_address: list[str] = field(default_factory=list)
    destination_address: list[str] = field(default_factory=list)
    source_port: list[int] = field(default_factory=list)
    destination_port: list[int] = field(default_factory=list)
    protocol: list[int] = field(default_factory=list)
    ip_version: list[int] = field(default_factory=list)
    packets: list[int] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)
    first_s: list[float] = field(default_factory=list)
    last_s: list[float] = field(default_factory=list)
    tcp_flags: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.endpoint)


class Reject:
    """What a refused flow had in this window."""

    __slots__ = ("bytes", "first_s", "flags", "last_s", "packets")

    def __init__(self, length_bytes: int, flags: int, now_s: float) -> None:
        self.packets = 1
        self.bytes = length_bytes
        self.flags = flags
        self.first_s = self.last_s = now_s


class Window:
    """A closed window: `started_s` to `ended_s` (epoch seconds), `endpoints`, `accepted`, `rejected` and `skipped`.

    `endpoints`: the last plan of every endpoint there was, by id, those included that went meanwhile.  `skipped`: packets by
    endpoint that are in no record (SKIPDATA).  May be handed to another thread.
    """

    def __init__(
        self, *, started_s: float, ended_s: float, endpoints: Mapping[str, EndpointPlan], parts: list[Part],
        rejects: dict[RejectKey, Reject], skipped: Mapping[str, int],
    ) -> None:
        self.started_s = started_s
        self.ended_s = ended_s
        self.endpoints = endpoints
        self.skipped = skipped
        self._parts = parts
        self._rejects = rejects

    @property
    def accepted(self) -> AcceptedFlows:
        """What was sent to targets and came back, made when it is read."""
        rows = (_accepted_row(part) for part in self._parts if part.in_packets or part.out_packets)
        return AcceptedFlows(*_columns(rows, len(fields(AcceptedFlows))))

    @property
    def rejected(self) -> RejectedFlows:
        """What was refused, made when it is read."""
        rows = (_rejected_row(reject_key, reject) for reject_key, reject in self._rejects.items())
        return RejectedFlows(*_columns(rows, len(fields(RejectedFlows))))


# Any: the columns of a row differ in type, and the classes above say which.
def _columns(rows: Iterable[tuple[object, ...]], count: int) -> list[list[Any]]:
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(count)]


def _accepted_row(part: Part) -> tuple[object, ...]:
    flow, target = part.flow, part.target
    return (
        flow.endpoint.id, target.id, target.address, target.zone_id, flow.entropy_port,
        *_flow_columns(flow.kind, part.key),
        part.in_packets, part.in_bytes, part.in_first_s, part.in_last_s, part.in_flags,
        part.out_packets, part.out_bytes, part.out_first_s, part.out_last_s, part.out_flags,
    )


def _rejected_row(reject_key: RejectKey, reject: Reject) -> tuple[object, ...]:
    endpoint, reason, kind, key = reject_key
    return (
        endpoint, reason, *_flow_columns(kind, key),
        reject.packets, reject.bytes, reject.first_s, reject.last_s, reject.flags,
    )


def _flow_columns(kind: int, key: bytes) -> tuple[str, str, int, int, int, int]:
    if kind == UNREADABLE:
        return "-", "-", 0, 0, 0, 0
    source, destination = addresses_of(kind, key)
    return (
        address_text(source), address_text(destination), *ports_of(kind, key),
        protocol_of(kind, key), version_of(kind, key),
    )


class OpenWindow:
    """The window that is being captured.  `number` grows with every window, from 1."""

    def __init__(self, *, parts_max: int, rejects_max: int) -> None:
        self.number = 0
        self._started_s: float | None = None
        self._endpoints: dict[str, EndpointPlan] = {}
        self._parts_max = parts_max
        self._closed_parts: list[Part] = []
        self._forgotten = 0
        self._rejects_max = rejects_max
        #: Packets, by endpoint and since the start, that were in no record for want of room.
        self.unrecorded: Counter[str] = Counter()
        self._begin()

    def _begin(self) -> None:
        self.number += 1
        self._parts: list[Part] = []
        self._rejects: dict[RejectKey, Reject] = {}
        self._skipped: Counter[str] = Counter()

    @property
    def rows(self) -> int:
        """Directions and refused flows noted so far."""
        return len(self._parts) + len(self._rejects)

    def know(self, plans: Iterable[EndpointPlan]) -> None:
        """Endpoints that are there from now on, and how they are planned."""
        self._endpoints.update({plan.endpoint_id: plan for plan in plans})

    def enter(self, flow: Flow, key: bytes) -> Part:
        """Begin the part in this window of the flow's direction that has the key.

        When the window is full, or the flow has no entry in the table, the packet is counted as skipped and the part given back
        belongs to no window.
        """
        if len(self._parts) >= self._parts_max or not flow.alive:
            self._leave_out(flow.endpoint.id)
            return Part(flow, key, 0)
        part = Part(flow, key, self.number)
        if key == flow.key:
            flow.forward_part = part
        else:
            flow.back_part = part
        self._parts.append(part)
        return part

    def reject(self, reject_key: RejectKey, length_bytes: int, tcp_flags: int, now_s: float) -> bool:
        """Note a refused packet; tell whether it is the first of its flow and reason in this window."""
        reject = self._rejects.get(reject_key)
        if reject is not None:
            reject.packets += 1
            reject.bytes += length_bytes
            reject.last_s = now_s
            reject.flags |= tcp_flags
            return False
        if len(self._rejects) >= self._rejects_max:
            self._leave_out(reject_key[0])
            return False
        self._rejects[reject_key] = Reject(length_bytes, tcp_flags, now_s)
        return True

    def _leave_out(self, endpoint: str) -> None:
        self._skipped[endpoint] += 1
        self.unrecorded[endpoint] += 1

    def skip(self, endpoint: str, packets: int) -> None:
        """Count packets that can be in no record because nobody read them."""
        self._skipped[endpoint] += packets

    def clock_stepped(self, by_s: float) -> None:
        """The clock was set by `by_s`: the window began then by the new clock."""
        if self._started_s is not None:
            self._started_s += by_s

    def close(self, now_s: float, present: Collection[str]) -> Window:
        """Hand out the window and begin the next, of the endpoints `present`, in a time that does not depend on the number of
        flows."""
        window = Window(
            # A clock that was set back meanwhile must not make a window that ends before it began.
            started_s=now_s if self._started_s is None else min(self._started_s, now_s), ended_s=now_s,
            endpoints=self._endpoints, parts=self._parts, rejects=self._rejects, skipped=self._skipped,
        )
        assert window.started_s <= window.ended_s
        self._started_s = now_s
        self._closed_parts, self._forgotten = self._parts, 0
        self._endpoints = {endpoint: plan for endpoint, plan in self._endpoints.items() if endpoint in present}
        self._begin()
        return window

    def forget_closed(self, parts_budget: int) -> None:
        """Take from flows what they did in the window closed last, so that it goes once its records are made.

        Looks at no more than `parts_budget`; a direction that is used again forgets by itself.
        """
        for part in self._closed_parts[self._forgotten:self._forgotten + parts_budget]:
            flow = part.flow
            if flow.forward_part is part:
                flow.forward_part = None
            elif flow.back_part is part:
                flow.back_part = None
        self._forgotten += parts_budget
        if self._forgotten >= len(self._closed_parts):
            self._closed_parts = []
