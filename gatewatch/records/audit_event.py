"""An API call as a CloudTrail record, one JSON object per line on `gatewatch.audit`.

CloudTrail user guide, "CloudTrail record contents": event version 1.11; parameter names with a lower-case first letter;
`responseElements` null for reads, failures and empty answers; error texts and user agent at most 1 KB each.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

EVENT_VERSION: Final = "1.11"

#: Longest error code, error message and user agent (CloudTrail record contents).
TEXT_CHARACTERS_MAX: Final = 1024

#: What is left of user agent and error message in a record that would be too long (six bytes a character at most).
CUT_CHARACTERS: Final = 128

READ_PREFIXES: Final = ("Describe", "Get", "List", "Lookup")


class UserIdentity(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Who asked.  gatewatch knows access keys and their users: always an IAM user."""

    type: str = "IAMUser"
    principal_id: str
    arn: str
    account_id: str
    access_key_id: str
    user_name: str


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """Something the call was about."""

    arn: str = msgspec.field(name="ARN")
    account_id: str = msgspec.field(name="accountId")
    type: str


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One call.  `event_time` is UTC, `YYYY-MM-DDTHH:MM:SSZ`; fields without a default are in every record."""

    event_version: str
    user_identity: UserIdentity
    event_time: str
    event_source: str
    event_name: str
    aws_region: str
    source_ip_address: str = msgspec.field(name="sourceIPAddress")
    user_agent: str = ""
    error_code: str = ""
    error_message: str = ""
    request_parameters: dict[str, Any] | None
    response_elements: dict[str, Any] | None
    request_id: str = msgspec.field(name="requestID")
    event_id: str = msgspec.field(name="eventID")
    read_only: bool
    resources: tuple[Resource, ...] = ()
    event_type: str
    api_version: str
    management_event: bool
    recipient_account_id: str
    event_category: str


def event_time(now_s: float) -> str:
    """Epoch seconds as CloudTrail writes a time."""
    return datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_read(event_name: str) -> bool:
    """Whether a call of that name changes nothing."""
    return event_name.startswith(READ_PREFIXES)


def elements(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """Parameters or an answer as a record shows them; None if there are none."""
    return {_first_lower(name): _element(value) for name, value in values.items() if value is not None} or None


def encode(event: AuditEvent, bytes_max: int) -> bytes:
    """The record as JSON on one line, at most `bytes_max` (4096 or more) long.

    A longer one is told without its parameters and answer, with their size in place of them, as CloudTrail does with a
    field over its limit; its user agent and error message are cut short.
    """
    record = msgspec.json.encode(event)
    if len(record) <= bytes_max:
        return record
    return msgspec.json.encode(msgspec.structs.replace(
        event,
        request_parameters=_omitted("requestParameters", event.request_parameters),
        response_elements=_omitted("responseElements", event.response_elements),
        resources=(),
        user_agent=event.user_agent[:CUT_CHARACTERS],
        error_message=event.error_message[:CUT_CHARACTERS],
    ))


def _omitted(name: str, content: dict[str, Any] | None) -> dict[str, Any] | None:
    if content is None:
        return None
    return {"omitted": True, "originalSize": len(msgspec.json.encode(content)), "reason": f"{name} too large"}


def _first_lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _element(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_first_lower(name): _element(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_element(item) for item in value]
    if isinstance(value, datetime):
        # elbv2 records show `Nov 1, 2026, 10:00:00 AM`.
        day, clock = value.astimezone(UTC).strftime("%b %d, %Y|%I:%M:%S %p").split("|")
        return f"{day.replace(' 0', ' ', 1)}, {clock.removeprefix('0')}"
    return value
