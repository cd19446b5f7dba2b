"""Audit events: who changed what, and what was refused."""

from __future__ import annotations

from dataclasses import dataclass

from queries.lake import Lake

#: Most events of one page.
LIMIT_MAX = 1_000


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
    raise AssertionError("filled in by the next change")
