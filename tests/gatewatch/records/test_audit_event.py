"""CloudTrail records: names, times, limits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from gatewatch.records.audit_event import AuditEvent, UserIdentity, elements, encode, event_time, is_read


def event(**more: Any) -> AuditEvent:
    values: dict[str, Any] = {
        "event_version": "1.11", "event_time": event_time(0), "event_source": "s", "event_name": "n",
        "aws_region": "r", "source_ip_address": "::1", "request_parameters": None, "response_elements": None,
        "request_id": "q", "event_id": "e", "read_only": True, "event_type": "AwsApiCall", "api_version": "1",
        "management_event": True, "recipient_account_id": "1", "event_category": "Management",
        "user_identity": UserIdentity(
            principal_id="p", arn="a", account_id="1", access_key_id="k", user_name="u"
        ),
    }
    return AuditEvent(**{**values, **more})


def test_a_record_has_cloudtrails_names_and_leaves_out_what_did_not_happen() -> None:
    record = msgspec.json.decode(encode(event(), 10_000))
    assert record["sourceIPAddress"] == "::1"
    assert {"requestID", "eventID", "awsRegion", "recipientAccountId"} <= record.keys()
    assert (record["requestParameters"], record["responseElements"]) == (None, None)
    assert not {"errorCode", "errorMessage", "resources", "userAgent"} & record.keys()
    assert record["userIdentity"]["type"] == "IAMUser"
    assert b"\n" not in encode(event(error_message="two\nlines"), 10_000)


def test_a_record_that_is_too_long_tells_the_size_of_what_it_leaves_out() -> None:
    long = event(
        request_parameters={"targets": ["x" * 5000]}, response_elements={"a": "\x00" * 2000},
        user_agent="\x00" * 1024, error_message="\x00" * 1024,
    )
    record = encode(long, 4096)
    assert len(record) <= 4096
    assert msgspec.json.decode(record)["requestParameters"] == {
        "omitted": True, "originalSize": 5016, "reason": "requestParameters too large",
    }


def test_elements() -> None:
    assert elements({}) is None
    assert elements({"Names": ["A"], "Tags": [{"Key": "K", "Value": None}], "Gone": None, "Port": 1}) == {
        "names": ["A"], "tags": [{"key": "K"}], "port": 1,
    }


@pytest.mark.parametrize(("moment", "text"), [
    (datetime(2026, 11, 1, 0, 5, 9, tzinfo=UTC), "Nov 1, 2026, 12:05:09 AM"),
    (datetime(2020, 12, 11, 17, 23, 50, tzinfo=UTC), "Dec 11, 2020, 5:23:50 PM"),
])
def test_times_in_answers(moment: datetime, text: str) -> None:
    assert elements({"CreatedTime": moment}) == {"createdTime": text}


def test_times_and_reads() -> None:
    assert event_time(1_793_527_200.9) == "2026-11-01T10:00:00Z"
    assert is_read("DescribeTags")
    assert is_read("GetCallerIdentity")
    assert not is_read("AddTags")
