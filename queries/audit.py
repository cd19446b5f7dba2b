"""Audit events: who changed what, and what was refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from queries.lake import Lake

#: Most events of one page.
LIMIT_MAX = 1_000

_TEXT = (
    "event_id", "event_source", "event_name", "user_name", "access_key_id", "source_ip_address", "user_agent",
    "error_code", "error_message", "request_id", "request_parameters", "response_elements", "record",
)

_PAGE = f"""
    WITH events AS (
        SELECT epoch_ms(event_time) AS event_ms, coalesce(sequence, 0) AS sequence, coalesce(read_only, false) AS read_only,
               {", ".join(f"coalesce({name}, '') AS {name}" for name in _TEXT)}
        FROM audit_events
        WHERE epoch_ms(event_time) >= $start_ms AND epoch_ms(event_time) < $end_ms
    )
    SELECT *, count(*) OVER () AS total
    FROM events
    WHERE ($read_only::BOOLEAN IS NULL OR read_only = $read_only)
      AND ($event_name = '' OR event_name = $event_name)
      AND ($user_name = '' OR user_name = $user_name)
      AND (NOT $errors_only OR error_code <> '')
      AND ($text = '' OR contains(lower(concat_ws(' ', event_name, user_name, request_parameters, error_code,
                                                  error_message)), $text))
    ORDER BY event_ms DESC, sequence DESC, event_id
    LIMIT $limit OFFSET $offset
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which events.  Empty text and None mean any; times are epoch seconds, `start_s <= event_time < end_s`.

    `read_only`: False shows changes only, True look-ups only.  `text` is looked for, whatever its case, in name, user,
    parameters and error.
    """

    start_s: float
    end_s: float
    read_only: bool | None = None
    event_name: str = ""
    user_name: str = ""
    errors_only: bool = False
    text: str = ""
    limit: int = 200
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One event.  `event_s` is epoch seconds; `request_parameters`, `response_elements` and `record` are JSON text."""

    event_s: float
    event_id: str
    event_source: str
    event_name: str
    read_only: bool
    user_name: str
    access_key_id: str
    source_ip_address: str
    user_agent: str
    error_code: str
    error_message: str
    request_id: str
    request_parameters: str
    response_elements: str
    record: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """One page, newest first, and how many events the filter matches in all."""

    events: list[AuditEvent]
    total: int


def lookup(lake: Lake, wanted: AuditFilter) -> AuditPage:
    """The events of a page.  Raises `ValueError` for a limit out of range and `QueryFailed`."""
    if not 1 <= wanted.limit <= LIMIT_MAX or wanted.offset < 0:
        raise ValueError(f"a page has 1 to {LIMIT_MAX} events from place 0 on, not {wanted.limit} from {wanted.offset}")
    parameters = {
        "start_ms": int(wanted.start_s * 1000), "end_ms": int(wanted.end_s * 1000), "read_only": wanted.read_only,
        "event_name": wanted.event_name, "user_name": wanted.user_name, "errors_only": wanted.errors_only,
        "text": wanted.text.lower(), "limit": wanted.limit, "offset": wanted.offset,
    }
    found = lake.fetch(_PAGE, parameters, tables=["audit_events"], start_s=wanted.start_s, end_s=wanted.end_s)
    rows = found.to_pylist()
    total = rows[0]["total"] if rows else 0
    if not rows and wanted.offset:
        total = lookup(lake, replace(wanted, limit=1, offset=0)).total
    return AuditPage(events=[_event(row) for row in rows], total=total)


def _event(row: dict[str, Any]) -> AuditEvent:
    del row["total"], row["sequence"]
    return AuditEvent(event_s=row.pop("event_ms") / 1000, **row)
