"""The whole chain of a data folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import msgspec

from gatewatch.bus import Draft, open_consumer, open_publisher
from gatewatch.records import topics
from gatewatch.records.flow_log import FIELDS, GATEWATCH_FORMAT
from gatewatch.settings import Settings
from gatewatch.status_file import write_status
from ingest.pipeline import Pipeline
from queries.books import Chain, chain
from tests.queries.lake_builder import HOUR_S, flow

COUNTERS = {"offered": 10, "sent": 10, "returned": 10, "originated": 0, "delivered": 10, "dropped": {}}
NAMES = {"offered": "Offered", "sent": "Sent", "returned": "Returned", "originated": "Originated", "delivered": "Delivered"}


def line(**changes: object) -> bytes:
    row = flow(HOUR_S, **changes)
    values = [row.get(field.column) for field in FIELDS.values() if f"${{{field.name}}}" in GATEWATCH_FORMAT]
    return " ".join("-" if value is None else str(value) for value in values).encode()


def metric_line(name: str, value: int) -> bytes:
    return msgspec.json.encode({
        "metric_stream_name": "gatewatch", "account_id": "123456789012", "region": "us-east-1", "namespace": "Gatewatch",
        "metric_name": f"Packets{name}", "dimensions": {}, "timestamp": HOUR_S * 1000, "unit": "Count",
        "value": {"count": 1.0, "sum": float(value), "min": float(value), "max": float(value)},
    })


def emit(settings: Settings) -> None:
    publisher = open_publisher(settings, "forwarder")
    publisher.publish([
        Draft(topic=topics.FLOW_LOGS, key="eni", value=line() + b"\n" + line(flow_direction="egress"), records=2,
              headers={"format": GATEWATCH_FORMAT}),
        Draft(topic=topics.METRICS, key="metrics", records=len(NAMES),
              value=b"\n".join(metric_line(text, int(str(COUNTERS[name]))) for name, text in NAMES.items())),
    ])
    publisher.close()
    write_status(settings.data_path, "forwarder", HOUR_S, {"packets": COUNTERS})


def ingest(settings: Settings) -> None:
    consumer = open_consumer(settings, "ingest", topics.TOPICS, {})
    pipeline = Pipeline(settings.data_path)
    consumer.acknowledge(pipeline.take(consumer.poll(0.0, 100)))
    pipeline.close()
    consumer.close()


def held(books: Chain) -> int:
    return sum(hop.held for hop in books.hops)


def test_from_packet_to_row_with_the_real_spool_and_ingest(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path))
    emit(settings)
    before = chain(tmp_path, now_s=HOUR_S + 100)
    assert before.balanced
    assert held(before) > 0
    ingest(settings)
    after = chain(tmp_path, now_s=HOUR_S + 100)
    assert (after.differences, after.notes) == ([], [])
    assert held(after) == 0
    assert {hop.chain for hop in after.hops} == {
        "packets", "packets in the lake", "records of flow_logs", "records of metrics"
    }


def test_a_chain_can_be_written_as_json(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path))
    emit(settings)
    written = msgspec.json.decode(msgspec.json.encode(asdict(chain(tmp_path))))
    assert {"hops", "differences", "notes"} == set(written)


def test_an_empty_folder_balances_and_says_why(tmp_path: Path) -> None:
    empty = chain(tmp_path)
    assert (empty.balanced, empty.hops, len(empty.notes)) == (True, [], 2)
