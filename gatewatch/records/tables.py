"""The tables of the lake: which topic feeds each, with which columns, and which column tells a row's time.

`flow_logs` holds every known flow-log field (a format that lacks a field leaves it null), so that imported AWS logs and
gatewatch's own share one table.  All other tables come from JSON lines whose keys are the columns' names, save where
`ingest` says how a record is flattened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatewatch.records import topics
from gatewatch.records.arrow_schema import arrow_schema
from gatewatch.records.flow_log import FIELDS

if TYPE_CHECKING:
    import pyarrow as pa



@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table.  `columns` are types by name (`arrow_schema.TYPES`); `time_column` is Unix seconds (int64) in `flow_logs` and a
    UTC timestamp elsewhere.

    `since_column` came later: files written before it lack it, and it is null there.
    """

    name: str
    topic: str | None
    columns: Mapping[str, str]
    time_column: str
    since_column: str | None = None

    @property
    def schema(self) -> pa.Schema:
        """The columns as Arrow has them."""
        return arrow_schema(self.columns)


#: Puts events of one time in order: their place in the stream they came by (message, then line).
SEQUENCE = "sequence"

FLOW_LOGS = Table(
    name="flow_logs", topic=topics.FLOW_LOGS, columns={field.column: field.type for field in FIELDS.values()}, time_column="start"
)

METRICS = Table(
    name="metrics",
    topic=topics.METRICS,
    time_column="timestamp",
    columns={
        "timestamp": "time_ms", "namespace": "string", "metric_name": "string", "unit": "string",
        "load_balancer": "string", "target_group": "string", "availability_zone": "string",
        "dimensions": "string",  # all dimensions as JSON text, names sorted
        "sample_count": "float64", "sum": "float64", "minimum": "float64", "maximum": "float64",
        "account_id": "string", "region": "string",
    },
)

AUDIT = Table(
    name="audit_events",
    topic=topics.AUDIT,
    time_column="event_time",
    since_column=SEQUENCE,
    columns={
        "event_time": "time_ms", "event_id": "string", "event_source": "string", "event_name": "string",
        "read_only": "bool", "user_name": "string", "access_key_id": "string",
        "source_ip_address": "string", "user_agent": "string", "error_code": "string",
        "error_message": "string", "request_id": "string", "aws_region": "string",
        "request_parameters": "string", "response_elements": "string",  # JSON text
        "record": "string",  # the whole CloudTrail record, JSON text
        SEQUENCE: "int64",
    },
)

TARGET_HEALTH = Table(
    name="target_health",
    topic=topics.TARGET_HEALTH,
    time_column="time",
    since_column=SEQUENCE,
    columns={
        "time": "time_ms", "load_balancer": "string", "target_group": "string", "target_id": "string",
        "target_address": "string", "availability_zone": "string", "previous_state": "string",
        "state": "string", "reason": "string", "description": "string", SEQUENCE: "int64",
    },
)

APPLIANCE_ACCESS = Table(
    name="appliance_access",
    topic=topics.APPLIANCE_ACCESS,
    time_column="start",
    columns={
        "start": "time_ms", "end": "time_ms", "appliance_id": "string", "srcaddr": "string", "dstaddr": "string",
        "srcport": "int32", "dstport": "int32", "protocol": "int32", "action": "string",
        "rule": "string", "packets": "int64", "bytes": "int64", "gw_endpoint_id": "string",
        "flow_cookie": "int64",
    },
)

ALARMS = Table(
    name="alarm_events",
    topic=topics.ALARMS,
    time_column="time",
    since_column=SEQUENCE,
    columns={
        "time": "time_ms", "alarm_name": "string", "item_type": "string",  # StateUpdate, Action, ConfigurationUpdate
        "from_state": "string", "to_state": "string", "summary": "string", "reason": "string",
        "data": "string",  # JSON text
        SEQUENCE: "int64",
    },
)

#: Records that could not be read: which message, why, and the text itself.  Nothing is thrown away.
REJECTS = Table(
    name="rejects",
    topic=None,
    time_column="time",
    columns={
        "time": "time_ms", "topic": "string", "origin": "string", "seq": "int64", "line": "int64",
        "reason": "string", "record": "binary",
    },
)

TABLES = {table.name: table for table in (FLOW_LOGS, METRICS, AUDIT, TARGET_HEALTH, APPLIANCE_ACCESS, ALARMS, REJECTS)}
BY_TOPIC = {table.topic: table for table in TABLES.values() if table.topic}
