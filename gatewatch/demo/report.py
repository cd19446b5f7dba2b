"""The scenario's figures: packets, records, freshness, fail-over and the alarm's transitions, as one JSON object."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gatewatch.records import topics
from gatewatch.settings import Settings
from gatewatch.status_file import read_status
from ingest.manifest import Manifest
from queries.alarms.state import AlarmState
from queries.books import chain


def make_report(settings: Settings, *, started_s: float, killed_s: float | None) -> dict[str, Any]:
    """Read everything back from the data folder.  `started_s` and `killed_s` (the appliance's death) are epoch seconds."""
    data = settings.data_path
    books = chain(data)
    manifest = Manifest.open_for_reading(data / "manifest.sqlite")
    freshness = manifest.freshness("flow_logs", started_s)
    return {
        "packets": _packets(data),
        "flow_records": _emitted_and_stored(data, manifest, topics.FLOW_LOGS, "flow_logs"),
        "audit_events": _emitted_and_stored(data, manifest, topics.AUDIT, "audit_events"),
        "balanced": books.balanced,
        "differences": [asdict(difference) for difference in books.differences],
        "freshness_s": {"p50": percentile(freshness, 0.50), "p99": percentile(freshness, 0.99)},
        "failover_s": _failover_s(data, killed_s),
        "alarm_transitions": _transitions(data),
        "bus": "kafka" if settings.bus.startswith("kafka://") else "embedded",
        "datapath": settings.datapath,
    }


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write the report as JSON."""
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def percentile(values: Sequence[tuple[float, int]], share: float) -> float | None:
    """The value at or below which `share` of the rows lie, of (value, rows) pairs; None without rows."""
    wanted = share * sum(rows for _, rows in values)
    seen = 0
    for value, rows in sorted(values):
        seen += rows
        if rows and seen >= wanted:
            return round(value, 3)
    return None


def _packets(data: Path) -> dict[str, Any]:
    books = (read_status(data, "forwarder") or {}).get("packets", {})
    return {"offered": books.get("offered", 0), "delivered": books.get("delivered", 0), "dropped": books.get("dropped", {})}


def _emitted_and_stored(data: Path, manifest: Manifest, topic: str, table: str) -> dict[str, int]:
    raise NotImplementedError


def _failover_s(data: Path, killed_s: float | None) -> float | None:
    raise NotImplementedError


def _transitions(data: Path) -> list[dict[str, Any]]:
    raise NotImplementedError
