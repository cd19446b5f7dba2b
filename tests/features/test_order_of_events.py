"""Five API calls within one second are told in the order of the calls, wherever events are listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatewatch.bus import Message
from gatewatch.records import topics
from gatewatch.records.tables import AUDIT
from gatewatch.settings import Settings
from ingest.compaction import Compactor
from ingest.pipeline import Pipeline
from queries.audit import AuditFilter, lookup
from queries.lake import Lake
from queries.saved_query import run
from queries.sql_runner import run_sql
from tests.queries.lake_builder import HOUR_S, audit_event, publish

CALLS = ["CreateLoadBalancer", "CreateTargetGroup", "RegisterTargets", "CreateListener", "AddTags"]


def call(name: str) -> bytes:
    """A call's record; their ids are in another order than they are."""
    event: dict[str, Any] = {
        "eventTime": "2026-11-23T01:00:00Z", "eventID": name[::-1], "eventName": name, "eventSource": "elasticloadbalancing.amazonaws.com",
        "readOnly": False,
    }
    return json.dumps(event).encode()


def message(seq: int, *calls: str) -> Message:
    return Message(
        topic=topics.AUDIT, key="k", headers={}, value=b"\n".join(map(call, calls)), origin="api.00000001", seq=seq, records=len(calls),
        partition="p", offset=seq,
    )


@pytest.fixture(params=["as they came", "merged"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A lake with five calls of one second, in three messages, of which two came in one batch."""
    pipeline = Pipeline(tmp_path)
    pipeline.take([message(1, *CALLS[:2])])
    pipeline.take([message(2, CALLS[2]), message(3, *CALLS[3:])])
    if request.param == "merged":
        Compactor(Settings(data=str(tmp_path), compact_files_min=2), clock=lambda: HOUR_S + 100.0).work(pipeline.manifest)
        assert len(Lake(tmp_path).files(["audit_events"])[0].paths) == 1
    pipeline.close()
    return tmp_path


def test_the_audit_page(data: Path) -> None:
    page = lookup(Lake(data), AuditFilter(start_s=HOUR_S, end_s=HOUR_S + 10))
    assert [event.event_name for event in page.events] == CALLS[::-1]


def test_sql_by_time(data: Path) -> None:
    found = run_sql(Settings(data=str(data)), "SELECT event_name FROM audit_events ORDER BY event_time, sequence")
    assert found.texts == [CALLS]


def test_the_saved_query(data: Path) -> None:
    found = run(Lake(data), "who_changed_what", start_s=HOUR_S, end_s=HOUR_S + 10, parameters={})
    assert found.column("event").to_pylist() == CALLS[::-1]


def test_files_from_before_there_was_a_sequence_are_read_on(tmp_path: Path) -> None:
    old = publish(tmp_path, "audit_events", [audit_event(HOUR_S, "Old")])
    rows = pq.read_table(old, partitioning=None)
    pq.write_table(rows.drop_columns(["sequence"]), old)
    assert "sequence" not in pq.read_schema(old).names
    assert Lake(tmp_path).fetch("SELECT event_name, sequence FROM audit_events", tables=["audit_events"]).to_pylist() == [
        {"event_name": "Old", "sequence": None}]
    new = pa.Table.from_pylist([{**audit_event(HOUR_S + 1, "New"), "sequence": 7}], schema=AUDIT.schema)
    publish(tmp_path, "audit_events", new)
    page = lookup(Lake(tmp_path), AuditFilter(start_s=HOUR_S, end_s=HOUR_S + 10))
    assert [event.event_name for event in page.events] == ["New", "Old"]
