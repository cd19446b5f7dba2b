"""From messages to a commit: which are new, what is missing, their rows by table, and the books of each stream.

No input or output: messages, the last seqs and the time come in, tables and counts go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from gatewatch.bus.message import Message
from gatewatch.records import topics
from gatewatch.records.flow_log import DEFAULT_FORMAT
from gatewatch.records.tables import BY_TOPIC, FLOW_LOGS, REJECTS, Table
from ingest import flow_log_decode, json_decode
from ingest.flow_log_decode import BadLine
from ingest.lake_files import times_ms
from ingest.manifest import Gap
from ingest.manifest_writer import StreamDelta

#: Origin and topic.
Stream = tuple[str, str]

#: Different lags kept of one commit and table; rows of more are put into wider steps.
LAGS_MAX = 64
_LAG_STEP_MS = 100
#: A reason may name what it found, and a foreign producer's header may be a megabyte; it stands in every rejected line.
REASON_CHARACTERS_MAX = 500
_DICTIONARY = pa.dictionary(pa.int32(), pa.string())


@dataclass(slots=True, kw_only=True)
class Batch:
    """What a batch of messages comes to, before anything is written."""

    positions: dict[str, int] = field(default_factory=dict)
    streams: dict[tuple[str, str], StreamDelta] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    filled: list[tuple[str, str, int]] = field(default_factory=list)
    rows: dict[str, pa.Table] = field(default_factory=dict)


def read(
    messages: Sequence[Message], last_seqs: Mapping[Stream, int], now_s: float,
    missing: Mapping[Stream, Sequence[tuple[int, int]]] | None = None,
) -> Batch:
    """Skip what `last_seqs` says is in the lake, note what is missing, decode the rest.

    `missing` are the gaps (first and last seq) known so far: a message that comes late after all is taken, and its
    (origin, topic, seq) is among `filled`.
    """
    batch = Batch()
    groups: dict[tuple[str, str | None], list[Message]] = {}
    rejects: list[tuple[Message, BadLine]] = []
    for message in _new(messages, last_seqs, missing or {}, batch, now_s):
        if message.problem:
            rejects.append((message, _no_message(message, batch)))
            continue
        form = message.headers.get("format", DEFAULT_FORMAT) if message.topic == topics.FLOW_LOGS else None
        groups.setdefault((message.topic, form), []).append(message)
    tables: dict[str, list[pa.Table]] = {}
    for (topic, form), group in groups.items():
        bodies = [message.value for message in group]
        if form is None:
            seqs = [message.seq if message.origin else message.offset for message in group]
            rows, bad = json_decode.decode(topic, bodies, seqs)
        else:
            rows, bad = flow_log_decode.decode(form, bodies)
        if rows is not None:
            tables.setdefault(BY_TOPIC[topic].name, []).append(_complete(BY_TOPIC[topic], rows))
        rejects.extend((group[line.message], line) for line in bad)
        _count_rows(batch, group, 0 if rows is None else rows.num_rows, bad)
    batch.rows = {name: pa.concat_tables(parts) for name, parts in tables.items()}
    if rejects:
        batch.rows[REJECTS.name] = _reject_rows(rejects, now_s)
    return batch


def freshness(table: Table, rows: pa.Table, now_s: float) -> list[tuple[str, float, int]]:
    """(table, lag_s, rows): how old the rows are, rounded up to 0.1 s, or more to stay within `LAGS_MAX`."""
    lags_ms = pc.subtract(round(now_s * 1000), pc.drop_null(times_ms(table, rows)))
    step_ms = _LAG_STEP_MS
    while True:
        counts = pc.value_counts(pc.divide(pc.add(lags_ms, step_ms - 1), step_ms)).to_pylist()
        if len(counts) <= LAGS_MAX:
            return [(table.name, entry["values"] * step_ms / 1000, entry["counts"]) for entry in counts]
        step_ms *= 2


def _new(
    messages: Sequence[Message], last_seqs: Mapping[Stream, int], missing: Mapping[Stream, Sequence[tuple[int, int]]],
    batch: Batch, now_s: float,
) -> list[Message]:
    fresh = []
    holes = _Holes(missing)
    for message in messages:
        batch.positions[message.partition] = message.offset + 1
        stream = (message.origin, message.topic)
        delta = batch.streams.get(stream)
        if delta is None:
            delta = batch.streams[stream] = StreamDelta(last_seq=last_seqs.get(stream, 0))
        # A producer that is not gatewatch gives no origin and no seq: its messages are told apart by position alone.
        if message.origin:
            if message.seq <= delta.last_seq:
                if not holes.fill(stream, message.seq):
                    delta.duplicates += 1
                    continue
                batch.filled.append((*stream, message.seq))
            elif message.seq > delta.last_seq + 1:
                holes.open(stream, delta.last_seq + 1, message.seq - 1)
                batch.gaps.append(Gap(
                    origin=message.origin, topic=message.topic, first_seq=delta.last_seq + 1, last_seq=message.seq - 1,
                    seen_at_s=now_s,
                ))
            delta.last_seq = max(delta.last_seq, message.seq)
            delta.records += message.records
        delta.messages += 1
        fresh.append(message)
    return fresh


class _Holes:
    """The seqs that are missing from each stream, while a batch is read."""

    def __init__(self, missing: Mapping[Stream, Sequence[tuple[int, int]]]) -> None:
        self._missing = missing
        self._opened: dict[Stream, list[tuple[int, int]]] = {}
        self._filled: set[tuple[Stream, int]] = set()

    def open(self, stream: Stream, first_seq: int, last_seq: int) -> None:
        """From here to there nothing has come."""
        self._opened.setdefault(stream, []).append((first_seq, last_seq))

    def fill(self, stream: Stream, seq: int) -> bool:
        """Whether it was missing; from now on it is not."""
        holes = (*self._missing.get(stream, ()), *self._opened.get(stream, ()))
        if (stream, seq) in self._filled or not any(first <= seq <= last for first, last in holes):
            return False
        self._filled.add((stream, seq))
        return True


def _no_message(message: Message, batch: Batch) -> BadLine:
    """What stands in a message's place, set aside whole and counted as one record."""
    delta = batch.streams[message.origin, message.topic]
    delta.records += 1
    delta.rejected += 1
    return BadLine(message=0, line=0, reason=message.problem, record=message.value)


def _count_rows(batch: Batch, group: Sequence[Message], rows: int, bad: Sequence[BadLine]) -> None:
    """Rows and rejected lines by stream: what a body's lines come to, less those set aside."""
    rejected = [0] * len(group)
    for line in bad:
        rejected[line.message] += 1
    lines = [message.value.count(b"\n") + 1 for message in group]
    if sum(lines) != rows + len(bad) or any(b"\r" in message.value for message in group):
        # Somewhere is a line that is nothing, at an end for instance, or one that ends otherwise: count with care.
        lines = [_lines(message) for message in group]
    assert sum(lines) == rows + len(bad), "every line is a row or is set aside"
    for message, found, refused in zip(group, lines, rejected, strict=True):
        assert found >= refused
        delta = batch.streams[message.origin, message.topic]
        delta.rows += found - refused
        delta.rejected += refused
        if not message.origin:
            delta.records += found  # nobody else counted them


def _lines(message: Message) -> int:
    if message.topic == topics.FLOW_LOGS:
        return sum(1 for line in message.value.splitlines() if line)
    return sum(1 for line in message.value.split(b"\n") if line.strip())


def _complete(table: Table, rows: pa.Table) -> pa.Table:
    """The rows with every column of the table, in its order; text columns of flow logs are dictionaries."""
    if table is not FLOW_LOGS:
        return rows
    present = set(rows.column_names)
    return pa.table({
        column.name: rows.column(column.name) if column.name in present
        else pa.nulls(rows.num_rows, _DICTIONARY if pa.types.is_string(column.type) else column.type)
        for column in table.schema
    })


def _reject_rows(rejects: Sequence[tuple[Message, BadLine]], now_s: float) -> pa.Table:
    now_ms = round(now_s * 1000)
    rows = [
        (
            now_ms, message.topic, message.origin, message.seq, line.line, line.reason[:REASON_CHARACTERS_MAX],
            line.record,
        )
        for message, line in rejects
    ]
    return pa.table(list(zip(*rows, strict=True)), schema=REJECTS.schema)
