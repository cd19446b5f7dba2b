"""The scenario's figures: packets, records, freshness, fail-over and the alarm's transitions, as one JSON object."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gatewatch.bus import spool
from gatewatch.bus.spool import spool_folder
from gatewatch.database.read_only import read_only
from gatewatch.forwarder_runs import with_all_runs
from gatewatch.records import topics
from gatewatch.settings import Settings
from gatewatch.status_file import read_status
from ingest.manifest import Manifest
from queries.alarms.state import read_history
from queries.books import chain

#: An outage is over once this many new connections in a row worked and this long none failed.
STEADY_CONNECTIONS = 20
STEADY_S = 3.0


def make_report(settings: Settings, *, started_s: float, killed_s: float | None) -> dict[str, Any]:
    """Read everything back from the data folder.  `started_s` and `killed_s` (the appliance's death) are epoch seconds."""
    data = settings.data_path
    books = chain(data)
    manifest = Manifest.open_for_reading(data)
    freshness = manifest.freshness("flow_logs", started_s)
    return {
        "packets": _packets(data),
        "flow_records": _emitted_and_stored(data, manifest, topics.FLOW_LOGS),
        "audit_events": _emitted_and_stored(data, manifest, topics.AUDIT),
        "balanced": books.balanced,
        "differences": [asdict(difference) for difference in books.differences],
        "freshness_s": {"p50": percentile(freshness, 0.50), "p99": percentile(freshness, 0.99)},
        "failover_s": _failover_s(data, killed_s),
        "alarm_transitions": _transitions(data),
        "bus": "kafka" if settings.bus.startswith("kafka://") else "embedded",
        "datapath": settings.datapath,
    }


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write the report as JSON; where it cannot be written it is printed, since the run is over and will not come again."""
    text = json.dumps(report, indent=2)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        print(f"gatewatch: the report {path} cannot be written: {error.strerror}; here it is:\n{text}", file=sys.stderr)


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
    books = with_all_runs(read_status(data, "forwarder") or {})["packets"]
    return {
        "offered": books.get("offered", 0),
        "delivered": books.get("delivered", 0),
        "dropped": books.get("dropped", {}),
    }


def _emitted_and_stored(data: Path, manifest: Manifest, topic: str) -> dict[str, int]:
    """What the producers' spools were given, and how many of those records became rows of the lake.

    Streams of other origins, which a broker used before may hold, are not counted.
    """
    spooled = [_spooled(path, topic) for path in sorted(spool_folder(data).glob("*.sqlite"))]
    own = {origin for origin, _ in spooled}
    stored = sum(stream.rows for stream in manifest.streams() if stream.topic == topic and stream.origin in own)
    return {"emitted": sum(records for _, records in spooled), "in_lake": stored}


def foreign_records(data: Path) -> int:
    """Records in the lake that came from elsewhere: a broker that was used before."""
    own = {_spooled(path, "")[0] for path in spool_folder(data).glob("*.sqlite")}
    return sum(stream.records for stream in Manifest.open_for_reading(data).streams() if stream.origin not in own)


def _spooled(path: Path, topic: str) -> tuple[str, int]:
    with read_only(path, spool.KIND) as connection:
        origin = connection.execute("select origin from identity").fetchone()[0]
        row = connection.execute("select records from topics where topic = ?", (topic,)).fetchone()
    return str(origin), int(row[0]) if row else 0


def failover_s(connections: Sequence[tuple[float, bool]], killed_s: float) -> float | None:
    """How long after `killed_s` the last new connection began that failed for it; 0 when none did, None without tries.

    `connections` are (begin in epoch seconds, whether it worked).  The failures of one outage are looked at: they end
    with the first `STEADY_CONNECTIONS` in a row that worked.
    """
    after = [(begun_s, ok) for begun_s, ok in sorted(connections) if begun_s >= killed_s]
    if not after:
        return None
    last_failed_s = killed_s
    worked = 0
    for begun_s, ok in after:
        worked = worked + 1 if ok else 0
        if not ok:
            last_failed_s = begun_s
        elif worked >= STEADY_CONNECTIONS and begun_s - last_failed_s > STEADY_S:
            break
    return round(last_failed_s - killed_s, 3)


def _failover_s(data: Path, killed_s: float | None) -> float | None:
    traffic = read_status(data, "traffic")
    if killed_s is None or traffic is None:
        return None
    return failover_s([(begun_s, ok) for begun_s, ok in traffic["connections"]], killed_s)


def _transitions(data: Path) -> list[dict[str, Any]]:
    changes = [item for item in read_history(data, limit=1000) if item.item_type == "StateUpdate"]
    return [
        {"alarm": item.alarm_name, "at": item.time_s, "from": item.from_state, "to": item.to_state} for item in reversed(changes)
    ]
