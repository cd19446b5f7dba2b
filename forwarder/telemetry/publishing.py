"""The telemetry thread: takes what the packet loop closed, writes records and metrics, puts them on the bus.

It never holds up packets: when it falls behind, the loop keeps its window open.  When the bus cannot take records (the
spool's disk is full, say) it tries again and nothing is skipped.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from forwarder.capture.closed import Closed
from forwarder.capture.window import CapturedWindow
from forwarder.desired import Desired
from forwarder.inventory import Inventory
from forwarder.plan import Plan
from forwarder.telemetry.book_metrics import BookMetrics
from forwarder.telemetry.flow_records import FlowRecords
from forwarder.telemetry.flow_text import flow_drafts
from forwarder.telemetry.gateway_metrics import GatewayMetrics
from forwarder.telemetry.samples import Samples, books_of
from gatewatch.bus import Draft, Publisher
from gatewatch.bus.json_drafts import json_drafts
from gatewatch.records import topics
from gatewatch.repeated_error import RepeatedError
from gatewatch.settings import Settings

log = structlog.get_logger(__name__)

#: Between two attempts to put the same records on the bus.
RETRY_S = 0.5
#: How long stopping waits for the bus to take the last records.
STOP_ATTEMPTS_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the control thread knows now: the network, what shall be, the plan made from both, and the prober's packets."""

    inventory: Inventory
    desired: Desired
    plan: Plan
    probe_packets: Mapping[tuple[str, str], int]


def sample_length_s(period_s: int) -> int:
    """Length of a metric bucket: the longest divisor of the period that is not above 10 s."""
    return max(length for length in range(1, 11) if period_s % length == 0)


class Telemetry:
    """Run `run` in a thread.  `windows`, `records` and `errors` are for the status file."""

    def __init__(
        self, settings: Settings, outbox: queue.Queue[Closed], publisher: Publisher, view: Callable[[], View], *,
        start_s: float,
    ) -> None:
        account = {"account_id": settings.account_id, "region": settings.region}
        self._bytes_max = settings.message_bytes_max
        self._period_s = settings.metrics_period_s
        self._outbox = outbox
        self._publisher = publisher
        self._view = view
        self._flow_records = FlowRecords(**account)
        self._samples = Samples()
        self._bucket_s = sample_length_s(settings.metrics_period_s)
        self._gateway = GatewayMetrics(**account, start_s=start_s, bucket_s=self._bucket_s)
        self._books = BookMetrics(**account)
        self._bucket_start_s = self._period_start_s = start_s
        self._repeated = RepeatedError(log)
        self._stopping = threading.Event()
        self.windows = 0
        self.records: Counter[str] = Counter()
        self.errors = 0

    def stop(self) -> None:
        """Have `run` end once the outbox is empty; call after the packet loop has ended."""
        self._stopping.set()

    def run(self) -> None:
        """Publish until `stop`."""
        while True:
            try:
                closed = self._outbox.get(timeout=0.2)
            except queue.Empty:
                if self._stopping.is_set():
                    return
                continue
            self._publish(self.drafts_of(closed))

    def drafts_of(self, closed: Closed) -> list[Draft]:
        """The messages for what the loop closed; what cannot be made is counted, and takes nothing else with it."""
        return [*self._made(self._flow_drafts, closed), *self._made(self._metric_drafts, closed)]

    def _made(self, make: Callable[[Closed], list[Draft]], closed: Closed) -> list[Draft]:
        try:
            return make(closed)
        except Exception:  # the outermost loop: count, say so, go on with metrics and with the next window
            self.errors += 1
            self._repeated.exception("what a capture window held could not be turned into records and is lost")
            return []

    def _flow_drafts(self, closed: Closed) -> list[Draft]:
        if closed.window is None:
            return []
        self.windows += 1
        return self._flows(closed.window, self._view())

    def _metric_drafts(self, closed: Closed) -> list[Draft]:
        view = self._view()
        drafts: list[Draft] = []
        sample = self._samples.take(closed.end_s, closed.counters, view.inventory, view.desired, view.probe_packets)
        # A capture window may end in the middle of a bucket, and the clock may have been set back.
        if closed.last or closed.end_s // self._bucket_s != self._bucket_start_s // self._bucket_s:
            self._bucket_start_s = closed.end_s
            self._gateway.add(sample)
        if closed.last or closed.end_s // self._period_s != self._period_start_s // self._period_s:
            drafts += self._metrics(closed)
        return drafts

    def _flows(self, window: CapturedWindow, view: View) -> list[Draft]:
        drafts: list[Draft] = []
        for interface in self._flow_records.of(window, view.plan.nodes):
            drafts += flow_drafts(interface.interface_id, interface.records, self._bytes_max)
        return drafts

    def _metrics(self, closed: Closed) -> list[Draft]:
        timestamp_ms = int(self._period_start_s // self._period_s * self._period_s * 1000)
        self._period_start_s = closed.end_s
        metrics = [
            *self._gateway.close(timestamp_ms), *self._books.close(books_of(closed.counters), timestamp_ms),
        ]
        return list(json_drafts(topics.METRICS, "forwarder", metrics, self._bytes_max))

    def _publish(self, drafts: Sequence[Draft]) -> None:
        """All or nothing, again and again; gives up only when stopping."""
        attempts = 0
        while True:
            try:
                self._publisher.publish(drafts)
            except Exception:  # the outermost loop: whatever is wrong with the bus, the records wait
                attempts += 1
                self.errors += 1
                self._repeated.exception("the bus does not take records, trying again", retry_s=RETRY_S, attempts=attempts)
                if self._stopping.is_set() and attempts >= STOP_ATTEMPTS_MAX:
                    log.error("records are lost", records=sum(draft.records for draft in drafts))
                    return
                threading.Event().wait(RETRY_S)
            else:
                for draft in drafts:
                    self.records[draft.topic] += draft.records
                return
