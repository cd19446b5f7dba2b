"""The tables of the lake: which topic feeds each, with which columns, and which column tells a row's time.

`flow_logs` holds every known flow-log field (a format that lacks a field leaves it null), so that imported AWS logs and
gatewatch's own share one table.  All other tables come from JSON lines whose keys are the columns' names, save where
`ingest` says how a record is flattened.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from gatewatch.records import topics
from gatewatch.records.flow_log import FIELDS, schema_of

_MS = pa.timestamp("ms", tz="UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table.  `time_column` is Unix seconds (int64) in `flow_logs` and a UTC timestamp elsewhere.

    `since_column` came later: files written before it lack it, and it is null there.
    """

    name: str
    topic: str | None
    schema: pa.Schema
    time_column: str
    since_column: str | None = None


#: Puts events of one time in order: their place in the stream they came by (message, then line).
SEQUENCE = "sequence"

FLOW_LOGS = Table(
    name="flow_logs", topic=topics.FLOW_LOGS, schema=schema_of(list(FIELDS.values())), time_column="start"
)

METRICS = Table(
    name="metrics",
    topic=topics.METRICS,
    time_column="timestamp",
    schema=pa.schema([
        ("timestamp", _MS), ("namespace", pa.string()), ("metric_name", pa.string()), ("unit", pa.string()),
        ("load_balancer", pa.string()), ("target_group", pa.string()), ("availability_zone", pa.string()),
        ("dimensions", pa.string()),  # all dimensions as JSON text, names sorted
        ("sample_count", pa.float64()), ("sum", pa.float64()), ("minimum", pa.float64()), ("maximum", pa.float64()),
        ("account_id", pa.string()), ("region", pa.string()),
    ]),
)

AUDIT = Table(
    name="audit_events",
    topic=topics.AUDIT,
    time_column="event_time",
    since_column=SEQUENCE,
    schema=pa.schema([
        ("event_time", _MS), ("event_id", pa.string()), ("event_source", pa.string()), ("event_name", pa.string()),
        ("read_only", pa.bool_()), ("user_name", pa.string()), ("access_key_id", pa.string()),
        ("source_ip_address", pa.string()), ("user_agent", pa.string()), ("error_code", pa.string()),
        ("error_message", pa.string()), ("request_id", pa.string()), ("aws_region", pa.string()),
        ("request_parameters", pa.string()), ("response_elements", pa.string()),  # JSON text
        ("record", pa.string()),  # the whole CloudTrail record, JSON text
        (SEQUENCE, pa.int64()),
    ]),
)

TARGET_HEALTH = Table(
    name="target_health",
    topic=topics.TARGET_HEALTH,
    time_column="time",
    since_column=SEQUENCE,
    schema=pa.schema([
        ("time", _MS), ("load_balancer", pa.string()), ("target_group", pa.string()), ("target_id", pa.string()),
        ("target_address", pa.string()), ("availability_zone", pa.string()), ("previous_state", pa.string()),
        ("state", pa.string()), ("reason", pa.string()), ("description", pa.string()), (SEQUENCE, pa.int64()),
    ]),
)

APPLIANCE_ACCESS = Table(
    name="appliance_access",
    topic=topics.APPLIANCE_ACCESS,
    time_column="start",
    schema=pa.schema([
        ("start", _MS), ("end", _MS), ("appliance_id", pa.string()), ("srcaddr", pa.string()), ("dstaddr", pa.string()),
        ("srcport", pa.int32()), ("dstport", pa.int32()), ("protocol", pa.int32()), ("action", pa.string()),
        ("rule", pa.string()), ("packets", pa.int64()), ("bytes", pa.int64()), ("gw_endpoint_id", pa.string()),
        ("flow_cookie", pa.int64()),
    ]),
)

ALARMS = Table(
    name="alarm_events",
    topic=topics.ALARMS,
    time_column="time",
    since_column=SEQUENCE,
    schema=pa.schema([
        ("time", _MS), ("alarm_name", pa.string()), ("item_type", pa.string()),  # StateUpdate, Action, ConfigurationUpdate
        ("from_state", pa.string()), ("to_state", pa.string()), ("summary", pa.string()), ("reason", pa.string()),
        ("data", pa.string()),  # JSON text
        (SEQUENCE, pa.int64()),
    ]),
)

#: Records that could not be read: which message, why, and the text itself.  Nothing is thrown away.
REJECTS = Table(
    name="rejects",
    topic=None,
    time_column="time",
    schema=pa.schema([
        ("time", _MS), ("topic", pa.string()), ("origin", pa.string()), ("seq", pa.int64()), ("line", pa.int64()),
        ("reason", pa.string()), ("record", pa.binary()),
    ]),
)

TABLES = {table.name: table for table in (FLOW_LOGS, METRICS, AUDIT, TARGET_HEALTH, APPLIANCE_ACCESS, ALARMS, REJECTS)}
BY_TOPIC = {table.topic: table for table in TABLES.values() if table.topic}
