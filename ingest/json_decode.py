"""JSON-lines messages to Arrow: metrics, audit events, health changes, access logs and alarm events.

Each line is decoded by its topic's type; a line that does not decode, or whose values do not fit their columns, is set
aside with the reason, and the rest go on.  What flattens where:
- metrics: `value.count/sum/min/max` to `sample_count/sum/minimum/maximum`; the three dimensions of AWS/GatewayELB to
  columns, all dimensions to JSON text;
- audit: CloudTrail's names to columns (CloudTrail User Guide, "CloudTrail record contents"), the whole line to
  `record`;
- the others: as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa

from gatewatch.records import tables, topics
from gatewatch.records.address import is_address
from gatewatch.records.alarm_event import AlarmEvent
from gatewatch.records.appliance_access import ApplianceAccess
from gatewatch.records.domain import TIME_LIMIT_MS, Name
from gatewatch.records.metric import Metric
from gatewatch.records.tables import Table
from gatewatch.records.target_health import TargetHealthChange
from ingest.flow_log_decode import BadLine

_NULL = msgspec.Raw(b"null")
#: A message of a megabyte, the largest there is, has fewer lines than this many bits count.
_LINE_BITS = 20
_SEQS = 1 << 43


class _SessionIssuer(msgspec.Struct, rename="camel"):
    user_name: str | None = None


class _SessionContext(msgspec.Struct, rename="camel"):
    session_issuer: _SessionIssuer | None = None


class _UserIdentity(msgspec.Struct, rename="camel"):
    user_name: str | None = None
    access_key_id: str | None = None
    session_context: _SessionContext | None = None

    def name(self) -> str | None:
        """The user, or for a role's session the role."""
        if self.user_name is not None or self.session_context is None or self.session_context.session_issuer is None:
            return self.user_name
        return self.session_context.session_issuer.user_name


class _AuditRecord(msgspec.Struct, rename="camel"):
    event_time: datetime
    event_id: Name = msgspec.field(name="eventID")
    event_source: Name
    event_name: Name
    user_identity: _UserIdentity | None = None
    read_only: bool | None = None
    source_ip_address: str | None = msgspec.field(name="sourceIPAddress", default=None)
    user_agent: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    request_id: str | None = msgspec.field(name="requestID", default=None)
    aws_region: str | None = None
    request_parameters: msgspec.Raw = _NULL
    response_elements: msgspec.Raw = _NULL


def _metric_row(metric: Metric, line: bytes) -> tuple[Any, ...]:
    dimensions = metric.dimensions
    return (
        metric.timestamp, metric.namespace, metric.metric_name, metric.unit, dimensions.get("LoadBalancer"),
        dimensions.get("TargetGroup"), dimensions.get("AvailabilityZone"),
        msgspec.json.encode(dict(sorted(dimensions.items()))).decode(),
        metric.value.count, metric.value.sum, metric.value.min, metric.value.max, metric.account_id, metric.region,
    )


def _audit_row(event: _AuditRecord, line: bytes) -> tuple[Any, ...]:
    if event.event_time.tzinfo is None:
        raise ValueError("eventTime has no time zone")
    identity = event.user_identity or _UserIdentity()
    return (
        _time(round(event.event_time.timestamp() * 1000)), event.event_id, event.event_source, event.event_name,
        event.read_only, identity.name(), identity.access_key_id, event.source_ip_address,
        event.user_agent, event.error_code, event.error_message, event.request_id, event.aws_region,
        _json_text(event.request_parameters), _json_text(event.response_elements), line.decode(),
    )


def _health_row(change: TargetHealthChange, line: bytes) -> tuple[Any, ...]:
    return (
        change.time, change.load_balancer, change.target_group, change.target_id, change.target_address,
        change.availability_zone, change.previous_state, change.state, change.reason, change.description,
    )


def _access_row(access: ApplianceAccess, line: bytes) -> tuple[Any, ...]:
    if access.end < access.start:
        raise ValueError("end is before start")
    for name, text in (("srcaddr", access.srcaddr), ("dstaddr", access.dstaddr)):
        if text != "-" and not is_address(text):
            raise ValueError(f"{name} is not an IPv4 or IPv6 address")
    return (
        access.start, access.end, access.appliance_id, access.srcaddr, access.dstaddr, access.srcport,
        access.dstport, access.protocol, access.action, access.rule, access.packets, access.bytes,
        access.gw_endpoint_id, access.flow_cookie,
    )


def _alarm_row(event: AlarmEvent, line: bytes) -> tuple[Any, ...]:
    return (
        event.time, event.alarm_name, event.item_type, event.from_state, event.to_state, event.summary,
        event.reason, event.data,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    table: Table
    decoder: msgspec.json.Decoder[Any]
    row: Callable[[Any, bytes], tuple[Any, ...]]


_READINGS = {
    topics.METRICS: _Reading(table=tables.METRICS, decoder=msgspec.json.Decoder(Metric), row=_metric_row),
    topics.AUDIT: _Reading(table=tables.AUDIT, decoder=msgspec.json.Decoder(_AuditRecord), row=_audit_row),
    topics.TARGET_HEALTH: _Reading(
        table=tables.TARGET_HEALTH, decoder=msgspec.json.Decoder(TargetHealthChange), row=_health_row
    ),
    topics.APPLIANCE_ACCESS: _Reading(
        table=tables.APPLIANCE_ACCESS, decoder=msgspec.json.Decoder(ApplianceAccess), row=_access_row
    ),
    topics.ALARMS: _Reading(table=tables.ALARMS, decoder=msgspec.json.Decoder(AlarmEvent), row=_alarm_row),
}


def decode(topic: str, bodies: Sequence[bytes], seqs: Sequence[int]) -> tuple[pa.Table | None, list[BadLine]]:
    """Rows of the bodies in the topic's table, in order, and the lines that are no rows; None without rows.

    `seqs` are the messages' places in their streams, for tables whose events have a `sequence`.
    """
    reading = _READINGS[topic]
    sequenced = reading.table.since_column == tables.SEQUENCE
    rows: list[tuple[Any, ...]] = []
    places: list[tuple[int, int, bytes]] = []
    bad: list[BadLine] = []
    for index, body in enumerate(bodies):
        for number, line in enumerate(body.split(b"\n"), 1):
            if not line.strip():
                continue
            try:
                row = reading.row(reading.decoder.decode(line), line)
                rows.append((*row, _sequence(seqs[index], number)) if sequenced else row)
            # ValueError: a value out of its range, or text that is not UTF-8; the other: brackets a thousand deep.
            except (msgspec.DecodeError, ValueError, RecursionError) as error:
                bad.append(BadLine(message=index, line=number, reason=str(error), record=line))
            else:
                places.append((index, number, line))
    table = _to_arrow(reading.table.schema, rows)
    if table is None:
        fitting = _fitting(reading.table.schema, rows, places, bad)
        table = _to_arrow(reading.table.schema, fitting)
    return (table if table is not None and table.num_rows else None), bad


def _to_arrow(schema: pa.Schema, rows: Sequence[tuple[Any, ...]]) -> pa.Table | None:
    """The rows as a table, None when a value does not fit its column."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    try:
        return pa.table([pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        return None


def _fitting(
    schema: pa.Schema, rows: Sequence[tuple[Any, ...]], places: Sequence[tuple[int, int, bytes]], bad: list[BadLine]
) -> list[tuple[Any, ...]]:
    fitting = []
    for row, (index, number, line) in zip(rows, places, strict=True):
        if _to_arrow(schema, [row]) is None:
            bad.append(BadLine(message=index, line=number, reason="a value does not fit its column", record=line))
        else:
            fitting.append(row)
    return fitting


def _sequence(seq: int, line: int) -> int:
    """Grows from line to line and from message to message; a stranger's seq may be any number, so no more than fits is taken."""
    return (seq % _SEQS) << _LINE_BITS | line % (1 << _LINE_BITS)


def _time(time_ms: int) -> int:
    """For the one time that is not in epoch milliseconds where it comes from."""
    if not 0 <= time_ms < TIME_LIMIT_MS:
        raise ValueError("the time is not between the years 1970 and 2100 (epoch milliseconds)")
    return time_ms


def _json_text(raw: msgspec.Raw) -> str | None:
    text = bytes(raw).decode()
    return None if text == "null" else text
