"""The gateway's own books as metrics of namespace `Gatewatch`: what each period added to the packet counters.

Summed over all periods they are the counters themselves, so `gatewatch status` can compare lake and live.  AWS has
none of these.  `PacketsDropped` and `ReturnsRefused` have one metric a `Reason` (the closed list of drop reasons).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from forwarder.telemetry.statistic import statistics_of
from gatewatch.records.metric import OWN_NAMESPACE, Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Running totals of packets since the start.

    `offered + originated = delivered + sum(dropped)`, where `not_returned` in `dropped` may fall again when a packet
    comes back late.  `refused` are datagrams from targets that were not accepted, which explain and are not added.
    `unrecorded` are packets, among these, that are in no flow record for want of room; `without_entry` those of flows that the
    flow table had no room for.
    """

    offered: int = 0
    sent: int = 0
    returned: int = 0
    originated: int = 0
    delivered: int = 0
    without_entry: int = 0
    unrecorded: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)

    def entries(self) -> Iterator[tuple[tuple[str, str], int]]:
        """(Metric name, reason or nothing) and value."""
        yield ("PacketsOffered", ""), self.offered
        yield ("PacketsSent", ""), self.sent
        yield ("PacketsReturned", ""), self.returned
        yield ("PacketsOriginated", ""), self.originated
        yield ("PacketsDelivered", ""), self.delivered
        yield ("PacketsWithoutEntry", ""), self.without_entry
        yield ("PacketsUnrecorded", ""), self.unrecorded
        for reason, packets in self.dropped.items():
            yield ("PacketsDropped", reason), packets
        for reason, datagrams in self.refused.items():
            yield ("ReturnsRefused", reason), datagrams


class BookMetrics:
    """Turns the books at the end of each period into that period's metrics."""

    def __init__(self, *, account_id: str, region: str) -> None:
        self._account_id = account_id
        self._region = region
        self._published: Counter[tuple[str, str]] = Counter()

    def close(self, books: Books, timestamp_ms: int) -> list[Metric]:
        """What was added since the last close.  Totals are always published, reasons when they moved."""
        metrics: list[Metric] = []
        now = dict.fromkeys(self._published, 0) | dict(books.entries())
        for (name, reason), value in now.items():
            added = value - self._published[name, reason]
            self._published[name, reason] = value
            if added or not reason:
                metrics.append(Metric(
                    account_id=self._account_id, region=self._region, namespace=OWN_NAMESPACE, metric_name=name,
                    dimensions={"Reason": reason} if reason else {}, timestamp=timestamp_ms,
                    value=statistics_of([added]), unit="Count",
                ))
        return metrics
