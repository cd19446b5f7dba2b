"""A second data path, for tests: it moves no packet, and fills the columns of a window as a kernel's maps would be read."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from forwarder.capture.closed import Closed
from forwarder.capture.counters import EndpointCounters, EngineCounters, snapshot
from forwarder.capture.drop_reason import DropReason
from forwarder.capture.window import ACCEPTED_FLOWS, REJECTED_FLOWS, CapturedWindow
from forwarder.plan import Plan

#: An entry of the flow map: endpoint, source and destination port, packets and bytes out and back.
Entry = tuple[str, int, int, int, int, int, int]


class DummyDataPath:
    """Hands over what it is told was in its maps, in a window a `tick`."""

    def __init__(self, outbox: queue.Queue[Closed], clock: Callable[[], float]) -> None:
        self._outbox = outbox
        self._clock = clock
        self._ticks: queue.Queue[tuple[list[Entry], dict[str, int]] | None] = queue.Queue()
        self._followed = threading.Event()
        self._started_s = clock()
        self._totals: dict[str, EndpointCounters] = {}
        self._plan: Plan | None = None
        self.counters = self._copy()

    def follow(self, network: Any) -> None:
        """Endpoints come by identity and keep their counters."""
        self._plan = network.plan
        for endpoint in network.plan.endpoints:
            self._totals.setdefault(endpoint.endpoint_id, EndpointCounters(load_balancer=endpoint.load_balancer, zone=endpoint.zone))
        self._followed.set()

    def tick(self, flows: list[Entry], refused: dict[str, int]) -> None:
        """A window ended: what was in the flow map, and packets refused for want of a target, by endpoint."""
        self._ticks.put((flows, refused))

    def stop(self) -> None:
        """One more window, the last."""
        self._ticks.put(None)

    def run(self) -> None:
        """Hand over each tick's window."""
        self._followed.wait()
        while (tick := self._ticks.get()) is not None:
            self._close(*tick, last=False)
        self._close([], {}, last=True)

    def _close(self, flows: list[Entry], refused: dict[str, int], *, last: bool) -> None:
        assert self._plan is not None
        for endpoint, _, _, sent, sent_bytes, back, back_bytes in flows:
            total = self._totals[endpoint]
            total.offered += sent
            total.sent += sent
            total.sent_bytes += sent_bytes
            total.returned += back
            total.delivered += back
            total.returned_bytes += back_bytes
            total.delivered_bytes += back_bytes
        for endpoint, packets in refused.items():
            dropped = self._totals[endpoint].dropped
            self._totals[endpoint].offered += packets
            dropped[DropReason.NO_TARGET] = dropped.get(DropReason.NO_TARGET, 0) + packets
        now_s = self._clock()
        window = CapturedWindow(
            started_s=self._started_s, ended_s=now_s, endpoints={each.endpoint_id: each for each in self._plan.endpoints}, skipped={},
            accepted=lambda: _columns(ACCEPTED_FLOWS.names, [_accepted(entry, now_s) for entry in flows]),
            rejected=lambda: _columns(REJECTED_FLOWS.names, [_refused(*entry, now_s) for entry in refused.items()]),
        )
        self._started_s = now_s
        self.counters = self._copy()
        self._outbox.put(Closed(end_s=now_s, counters=self.counters, window=window, last=last))

    def _copy(self) -> EngineCounters:
        copies = {name: snapshot(total, unrecorded=0) for name, total in self._totals.items()}
        return EngineCounters(endpoints=copies, targets=[], refused_unattributed={}, flows=0)


def _accepted(entry: Entry, now_s: float) -> dict[str, Any]:
    endpoint, source_port, destination_port, sent, sent_bytes, back, back_bytes = entry
    return {
        "endpoint": endpoint, "target_id": "i-1", "target_address": "10.1.1.21", "target_zone_id": "use1-az1", "entropy_port": 50_000,
        "source_address": "203.0.113.1", "destination_address": "10.0.3.1", "source_port": source_port,
        "destination_port": destination_port, "protocol": 6, "ip_version": 4, "ingress_packets": sent, "ingress_bytes": sent_bytes,
        "ingress_first_s": now_s, "ingress_last_s": now_s, "ingress_tcp_flags": 2, "egress_packets": back, "egress_bytes": back_bytes,
        "egress_first_s": now_s, "egress_last_s": now_s, "egress_tcp_flags": 18,
    }


def _refused(endpoint: str, packets: int, now_s: float) -> dict[str, Any]:
    return {
        "endpoint": endpoint, "reason": DropReason.NO_TARGET, "source_address": "203.0.113.1", "destination_address": "10.0.3.1",
        "source_port": 1, "destination_port": 2, "protocol": 17, "ip_version": 4, "packets": packets, "bytes": 40 * packets,
        "first_s": now_s, "last_s": now_s, "tcp_flags": 0,
    }


def _columns(names: list[str], rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in names}
