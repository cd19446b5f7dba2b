"""The books of packets: the forwarder's live counters hop by hop, then what metrics and flow records in the lake say.

`offered + originated = delivered + dropped` holds at any moment.  The lake lags: while the forwarder runs, or records
are under way, what the lake lacks is held; at rest it is a difference.  Packets that have no record of their own (the
kernel dropped them before they were read, or a window was full) are told by SKIPDATA lines; the forwarder counts the
latter (`unrecorded`), and exactly so many may be missing, as `skipdata`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gatewatch.forwarder_runs import with_all_runs
from gatewatch.records.metric import OWN_NAMESPACE
from gatewatch.status_file import SILENT_AFTER_S, read_status
from queries.file_memory import FileMemory
from queries.hop import Books, Difference, Hop
from queries.lake import Lake, QueryFailed

CHAIN = "packets"
LAKE_CHAIN = "packets in the lake"

#: Reasons that are not counted when the packet comes in.
_NOT_RETURNED, _DELIVER_FAILED, _SEND_FAILED = "not_returned", "deliver_failed", "send_failed"
#: Packets the kernel dropped before they were read: no flow is known, so no record names them.
_UNSEEN = "receive_queue_full"


@dataclass(slots=True, kw_only=True)
class Counters:
    """Packets since the start, as the forwarder (or the sums of its metrics) says."""

    offered: int = 0
    sent: int = 0
    returned: int = 0
    originated: int = 0
    delivered: int = 0
    unrecorded: int = 0
    dropped: dict[str, int] = field(default_factory=dict)

    @property
    def dropped_on_ingress(self) -> dict[str, int]:
        """Reasons that apply before a packet is sent to a target."""
        late = (_NOT_RETURNED, _DELIVER_FAILED)
        return {reason: packets for reason, packets in self.dropped.items() if reason not in late and packets}


@dataclass(frozen=True, slots=True)
class FlowSums:
    """Packets in flow records: accepted on ingress, accepted on egress, refused by reason; and SKIPDATA lines."""

    ingress: int = 0
    egress: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    skipped_windows: int = 0

    def __or__(self, other: FlowSums) -> FlowSums:
        return FlowSums(
            self.ingress + other.ingress, self.egress + other.egress, self.refused + other.refused,
            self.skipped_windows + other.skipped_windows,
        )


def enter(books: Books, data: Path, *, now_s: float, under_way: bool) -> None:
    """Enter the books of packets; `under_way`: records are, so the lake may lack some."""
    lake = Lake(data)
    # The lake first: it lags behind the counters, never the other way round.
    try:
        metrics = _metric_sums(lake)
        flows = reduce(or_, _flow_memory.of(_paths(lake, "flow_logs")), FlowSums())
    except OSError as error:
        raise QueryFailed(f"a file of the lake cannot be read: {error}") from error
    status = read_status(data, "forwarder")
    if status is None:
        books.notes.append("the forwarder has not written its counters yet")
        return
    running = now_s - float(status["time"]) < SILENT_AFTER_S
    books.notes += _notes(status, running)
    live = _live(with_all_runs(status))
    _enter_live(books, live)
    other_runs = metrics.offered > live.offered
    if other_runs and not running:
        books.notes.append("the lake also holds earlier runs of the forwarder: flow records are compared with metrics")
    _enter_lake(books, live, metrics, flows, at_rest=not running and not under_way, other_runs=other_runs)


def _notes(status: Mapping[str, Any], running: bool) -> Iterator[str]:
    """What a person should know of the forwarder before comparing its counters."""
    if problem := status.get("inventory_problem"):
        yield f"{problem}; the forwarder goes on with the one before"
    if errors := sum(status.get("errors", {}).values()):
        yield f"the forwarder met {errors} errors and went on; logs/forwarder.log has them"
    lost = "what it had not published by then, at most a capture window, is in no record (docs/troubleshooting.md)"
    if not running and not status.get("ended", True):
        yield f"the forwarder did not say that it ended: it was killed or hangs, and {lost}"
    if cut_short := status.get("before", {}).get("cut_short", 0):
        yield f"the forwarder was killed {cut_short} time{'s' if cut_short > 1 else ''}: {lost}"


def _live(status: dict[str, Any]) -> Counters:
    packets = status.get("packets", {})
    names = ("offered", "sent", "returned", "originated", "delivered", "unrecorded")
    return Counters(
        **{name: int(packets.get(name, 0)) for name in names},
        dropped={str(reason): int(count) for reason, count in packets.get("dropped", {}).items()},
    )


def _enter_live(books: Books, live: Counters) -> None:
    def hop(name: str, received: int, sent: int, dropped: dict[str, int]) -> Hop:
        return Hop(chain=CHAIN, name=name, unit="packets", received=received, sent=sent, dropped=dropped, held=0)

    def reason(name: str) -> dict[str, int]:
        return {name: live.dropped[name]} if live.dropped.get(name) else {}

    books.add(hop("endpoints", live.offered, live.sent, live.dropped_on_ingress))
    books.add(hop("targets", live.sent + live.originated, live.returned, reason(_NOT_RETURNED)))
    books.add(hop("delivery", live.returned, live.delivered, reason(_DELIVER_FAILED)))
    books.add(hop("whole gateway", live.offered + live.originated, live.delivered, {
        name: count for name, count in live.dropped.items() if count
    }))


def _enter_lake(
    books: Books, live: Counters, metrics: Counters, flows: FlowSums, *, at_rest: bool, other_runs: bool
) -> None:
    known = metrics if other_runs else live
    if not other_runs:
        for name, expected, found in (
            ("offered, in metrics", live.offered, metrics.offered),
            ("delivered, in metrics", live.delivered, metrics.delivered),
            ("dropped, in metrics", sum(live.dropped.values()), sum(metrics.dropped.values())),
        ):
            _compare(books, name, expected, found, at_rest=at_rest, unrecorded=0)
    unrecorded = known.unrecorded
    refused = sum(known.dropped_on_ingress.values()) - known.dropped.get(_SEND_FAILED, 0)
    # A packet that the kernel refused after its window closed stays accepted in the records, so those reasons are
    # counted together with what was accepted.
    for name, expected, found in (
        ("handed to targets, in flow records", known.sent + known.dropped.get(_SEND_FAILED, 0),
         flows.ingress + flows.refused[_SEND_FAILED]),
        ("returned, in flow records", known.returned, flows.egress + flows.refused[_DELIVER_FAILED]),
        ("refused, in flow records", refused - known.dropped.get(_UNSEEN, 0),
         sum(flows.refused.values()) - flows.refused[_SEND_FAILED] - flows.refused[_DELIVER_FAILED]),
    ):
        unrecorded -= _compare(books, name, expected, found, at_rest=at_rest, unrecorded=unrecorded)
    if at_rest and unrecorded:
        books.differences.append(Difference(
            chain=LAKE_CHAIN, what="packets said to be in no record", expected=known.unrecorded,
            found=known.unrecorded - unrecorded,
        ))
    if flows.skipped_windows:
        books.notes.append(f"{flows.skipped_windows} SKIPDATA lines: flow records lack packets of those windows")


def _compare(books: Books, name: str, expected: int, found: int, *, at_rest: bool, unrecorded: int) -> int:
    """Enter a hop, and at rest a difference; how many of the `unrecorded` packets explain what is missing."""
    missing = expected - found
    if at_rest and missing and not 0 < missing <= unrecorded:
        books.hops.append(Hop(
            chain=LAKE_CHAIN, name=name, unit="packets", received=expected, sent=found, dropped={}, held=0
        ))
        books.differences.append(Difference(chain=LAKE_CHAIN, what=name, expected=expected, found=found))
        return 0
    # While the forwarder runs its status is up to a second old, so the lake may be ahead of it.
    dropped = {"skipdata": missing} if at_rest and missing else {}
    books.hops.append(Hop(
        chain=LAKE_CHAIN, name=name, unit="packets", received=max(expected, found), sent=found, dropped=dropped,
        held=0 if at_rest else max(0, missing),
    ))
    return missing if at_rest else 0


def _paths(lake: Lake, table: str) -> tuple[str, ...]:
    return lake.files([table])[0].paths


def _flow_sums(path: str) -> FlowSums:
    columns = ["gw_endpoint_id", "flow_direction", "action", "gw_drop_reason", "log_status", "packets"]
    rows = pq.ParquetFile(path).read(columns=columns)
    skipped = pc.sum(pc.equal(rows["log_status"], "SKIPDATA")).as_py() or 0
    rows = rows.filter(pc.and_(pc.is_valid(rows["gw_endpoint_id"]), pc.equal(rows["log_status"], "OK")))
    keys = ["flow_direction", "action", "gw_drop_reason"]
    sums = rows.select([*keys, "packets"]).group_by(keys).aggregate([("packets", "sum")]).to_pylist()
    accepted = {row["flow_direction"]: row["packets_sum"] for row in sums if row["action"] == "ACCEPT"}
    refused = Counter[str]()
    for row in sums:
        if row["action"] == "REJECT":
            refused[row["gw_drop_reason"] or ""] += row["packets_sum"]
    return FlowSums(accepted.get("ingress", 0), accepted.get("egress", 0), refused, skipped)


def _metric_sums(lake: Lake) -> Counters:
    total = Counter[tuple[str, str]]()
    for sums in _metric_memory.of(_paths(lake, "metrics")):
        # Not Counter's addition, which would leave out what falls below nothing.
        for key, value in sums:
            total[key] += value
    names = {
        "offered": "PacketsOffered", "sent": "PacketsSent", "returned": "PacketsReturned",
        "originated": "PacketsOriginated", "delivered": "PacketsDelivered", "unrecorded": "PacketsUnrecorded",
    }
    return Counters(
        **{field_name: total[metric_name, ""] for field_name, metric_name in names.items()},
        dropped={reason: packets for (name, reason), packets in total.items() if name == "PacketsDropped"},
    )


def _metrics_of(path: str) -> tuple[tuple[tuple[str, str], int], ...]:
    rows: pa.Table = pq.ParquetFile(path).read(columns=["namespace", "metric_name", "dimensions", "sum"])
    rows = rows.filter(pc.equal(rows["namespace"], OWN_NAMESPACE)).select(["metric_name", "dimensions", "sum"])
    sums = rows.group_by(["metric_name", "dimensions"]).aggregate([("sum", "sum")]).to_pylist()
    return tuple(((row["metric_name"], _reason(row["dimensions"])), round(row["sum_sum"])) for row in sums)


_flow_memory, _metric_memory = FileMemory(_flow_sums), FileMemory(_metrics_of)


def _reason(dimensions: str | None) -> str:
    return msgspec.json.decode(dimensions, type=dict[str, str]).get("Reason", "") if dimensions else ""
