"""A batch: duplicates skipped, gaps told, rows and rejects counted to the stream they came from."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.bus.message import Message
from gatewatch.records import topics
from gatewatch.records.flow_log import DEFAULT_FORMAT
from gatewatch.records.tables import FLOW_LOGS
from ingest import batch
from ingest.manifest import Gap
from ingest.manifest_writer import StreamDelta
from tests.ingest.flow_messages import FORMAT, HOUR_START_S, ORIGIN, body, message

STREAM = (ORIGIN, topics.FLOW_LOGS)


def test_messages_already_in_the_lake_are_skipped_and_counted() -> None:
    read = batch.read([message(seq, body(seq * 10, 10)) for seq in (2, 3, 4, 4)], {STREAM: 3}, 0.0)
    assert read.streams[STREAM] == StreamDelta(messages=1, records=10, rows=10, duplicates=3, last_seq=4)
    assert read.rows["flow_logs"].column("bytes").to_pylist() == list(range(40, 50))
    assert read.positions == {f"{topics.FLOW_LOGS}:{ORIGIN}": 5}
    assert read.gaps == []


def test_a_gap_is_told_and_the_rest_taken() -> None:
    read = batch.read([message(seq, body(0, 1)) for seq in (3, 4, 9)], {}, 77.0)
    assert read.gaps == [
        Gap(origin=ORIGIN, topic=topics.FLOW_LOGS, first_seq=1, last_seq=2, seen_at_s=77.0),
        Gap(origin=ORIGIN, topic=topics.FLOW_LOGS, first_seq=5, last_seq=8, seen_at_s=77.0),
    ]
    assert read.streams[STREAM] == StreamDelta(messages=3, records=3, rows=3, last_seq=9)


def test_lines_that_are_no_records_become_rejects_of_their_message() -> None:
    read = batch.read([message(1, body(0, 2) + b"\nbad\xff"), message(2, b"worse")], {}, 10.0)
    assert read.streams[STREAM] == StreamDelta(messages=2, records=4, rows=2, rejected=2, last_seq=2)
    rejects = read.rows["rejects"].drop_columns("time").to_pylist()
    reason = "1 fields where the format has 8"
    common = {"topic": topics.FLOW_LOGS, "origin": ORIGIN, "reason": reason}
    assert rejects == [
        {**common, "seq": 1, "line": 3, "record": b"bad\xff"}, {**common, "seq": 2, "line": 1, "record": b"worse"},
    ]


def test_formats_share_one_table_with_every_column() -> None:
    record = b"2 123456789010 eni-1 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK"
    read = batch.read([message(1, body(0, 1)), message(2, record, headers={"format": DEFAULT_FORMAT})], {}, 0.0)
    table = read.rows["flow_logs"]
    assert table.column_names == FLOW_LOGS.schema.names
    assert table.column("dstaddr").to_pylist() == ["203.0.113.7", "172.31.16.21"]
    assert table.column("gw_target_id").to_pylist() == [None, None]


def test_a_message_of_another_producer_is_taken_by_position_alone() -> None:
    foreign = [
        Message(topic=topics.FLOW_LOGS, key="", value=body(0, 1), records=1, headers={}, origin="", seq=0,
                partition=f"{topics.FLOW_LOGS}:0", offset=offset)
        for offset in (7, 8)
    ]
    read = batch.read(foreign, {}, 0.0)
    # Without a format header it is AWS's default format, which these lines are not.
    assert read.streams["", topics.FLOW_LOGS] == StreamDelta(messages=2, records=2, rejected=2)
    assert read.positions == {f"{topics.FLOW_LOGS}:0": 9}
    assert read.gaps == []


def test_a_message_with_an_empty_format_is_refused_and_holds_nobody_up() -> None:
    read = batch.read([message(1, body(0, 2), headers={"format": ""}), message(2, body(5, 1))], {}, 0.0)
    assert read.streams[STREAM] == StreamDelta(messages=2, records=3, rows=1, rejected=2, last_seq=2)
    assert set(read.rows["rejects"].column("reason").to_pylist()) == {
        "format: a format is ${field} items separated by single spaces, not ''"
    }


def test_records_of_another_producer_are_counted_as_they_are_found() -> None:
    # A newline at the end, or no value at all, is no record; nobody else says how many there are.
    foreign = [
        Message(topic=topics.FLOW_LOGS, key="", value=value, records=value.count(b"\n") + 1, headers={"format": FORMAT},
                origin="", seq=0, partition=f"{topics.FLOW_LOGS}:0", offset=offset)
        for offset, value in enumerate((body(0, 2) + b"\n", b"", b"bad\n\n"))
    ]
    read = batch.read(foreign, {}, 0.0)
    assert read.streams["", topics.FLOW_LOGS] == StreamDelta(messages=3, records=3, rows=2, rejected=1)


def test_a_message_that_was_missing_and_comes_late_fills_its_gap() -> None:
    messages = [message(seq, body(seq * 10, 1)) for seq in (5, 9, 2, 3, 7, 3, 5)]
    missing = {STREAM: [(2, 3)]}
    read = batch.read(messages, {STREAM: 4}, 1.0, missing)
    assert read.filled == [(*STREAM, 2), (*STREAM, 3), (*STREAM, 7)]
    assert [(gap.first_seq, gap.last_seq) for gap in read.gaps] == [(6, 8)]
    assert read.streams[STREAM] == StreamDelta(messages=5, records=5, rows=5, duplicates=2, last_seq=9)
    assert read.rows["flow_logs"].column("bytes").to_pylist() == [50, 90, 20, 30, 70]


def test_freshness_counts_rows_by_lag_in_tenths_of_a_second() -> None:
    rows = pa.table({"start": [100, 100, 101, None], "end": [0, 0, 0, None]}).cast(
        pa.schema([("start", pa.int64()), ("end", pa.int64())])
    )
    lags = batch.freshness(FLOW_LOGS, rows, 103.26)
    # Rounded up: nobody is told that rows were fresher than they are.
    assert sorted(lags) == [("flow_logs", 2.3, 1), ("flow_logs", 3.3, 2)]


def test_freshness_of_a_long_window_is_never_told_too_good() -> None:
    rows = pa.table({"start": pa.array(range(1000, 1130), pa.int64()), "end": pa.nulls(130, pa.int64())})
    lags = batch.freshness(FLOW_LOGS, rows, 1130.5)
    assert len(lags) <= batch.LAGS_MAX
    assert max(lag_s for _, lag_s, _ in lags) >= 130.5
    assert min(lag_s for _, lag_s, _ in lags) >= 1.5


@given(st.lists(st.integers(0, 4_000_000_000), min_size=1, max_size=300))
def test_freshness_stays_small_and_counts_every_row(starts: list[int]) -> None:
    rows = pa.table({"start": pa.array(starts, pa.int64()), "end": pa.nulls(len(starts), pa.int64())})
    lags = batch.freshness(FLOW_LOGS, rows, 2_000_000_000.0)
    assert len(lags) <= batch.LAGS_MAX
    assert sum(count for _, _, count in lags) == len(starts)


_LINES = st.lists(st.sampled_from([body(1, 1), b"bad", b"", b"\r", b" ", b"x y\r\n", b"\n"]), max_size=6).map(b"\n".join)


@given(st.lists(_LINES, max_size=5))
def test_the_books_of_a_stream_are_its_rows(bodies: list[bytes]) -> None:
    read = batch.read([message(seq, value) for seq, value in enumerate(bodies, 1)], {}, HOUR_START_S)
    rows = sum(delta.rows for delta in read.streams.values())
    rejected = sum(delta.rejected for delta in read.streams.values())
    assert rows == (read.rows["flow_logs"].num_rows if "flow_logs" in read.rows else 0)
    assert rejected == (read.rows["rejects"].num_rows if "rejects" in read.rows else 0)


def test_what_is_no_message_is_one_reject_with_all_its_bytes() -> None:
    broken = replace(message(0, b"raw\nbytes\n", origin=""), problem="a record cannot be read")
    read = batch.read([broken, message(0, body(0, 2), origin="")], {}, 10.0)
    assert read.streams["", topics.FLOW_LOGS] == StreamDelta(messages=2, records=3, rows=2, rejected=1)
    [reject] = read.rows["rejects"].drop_columns(["time", "topic", "origin"]).to_pylist()
    assert reject == {"seq": 0, "line": 0, "reason": "a record cannot be read", "record": b"raw\nbytes\n"}


def test_a_reason_is_bounded_however_long_what_it_names_is() -> None:
    read = batch.read([message(1, b"a\nb\nc", headers={"format": "x" * 1_000_000})], {}, 10.0)
    reasons = read.rows["rejects"].column("reason").to_pylist()
    assert len(reasons) == 3
    assert {len(reason) for reason in reasons} == {batch.REASON_CHARACTERS_MAX}
