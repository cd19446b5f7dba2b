"""The audit page's look-up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from queries.audit import AuditFilter, lookup
from queries.lake import Lake
from tests.queries.lake_builder import HOUR_S, audit_event, publish


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    publish(tmp_path, "audit_events", [
        audit_event(HOUR_S, "CreateLoadBalancer", request_parameters='{"name": "Inspection"}'),
        audit_event(HOUR_S + 1, "DescribeTargetHealth", read_only=True),
        audit_event(HOUR_S + 2, "RegisterTargets", user_name="bob", error_code="TargetGroupNotFound"),
        audit_event(HOUR_S + 2.5, "DeleteListener", read_only=None),
    ])
    return Lake(tmp_path)


def names(lake: Lake, **wanted: Any) -> list[str]:
    page = lookup(lake, AuditFilter(**{"start_s": HOUR_S, "end_s": HOUR_S + 60, **wanted}))
    return [event.event_name for event in page.events]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ["DeleteListener", "RegisterTargets", "DescribeTargetHealth", "CreateLoadBalancer"]),
        ({"read_only": False}, ["DeleteListener", "RegisterTargets", "CreateLoadBalancer"]),
        ({"read_only": True}, ["DescribeTargetHealth"]),
        ({"user_name": "bob"}, ["RegisterTargets"]),
        ({"event_name": "DeleteListener"}, ["DeleteListener"]),
        ({"errors_only": True}, ["RegisterTargets"]),
        ({"text": "inspection"}, ["CreateLoadBalancer"]),
        ({"text": "notfound"}, ["RegisterTargets"]),
        ({"end_s": HOUR_S + 1}, ["CreateLoadBalancer"]),
        ({"start_s": HOUR_S + 2.25}, ["DeleteListener"]),
        ({"limit": 1, "offset": 1}, ["RegisterTargets"]),
    ],
)
def test_a_filter_chooses_events_newest_first(lake: Lake, wanted: dict[str, Any], expected: list[str]) -> None:
    assert names(lake, **wanted) == expected


def test_the_total_is_of_all_pages_even_past_the_last(lake: Lake) -> None:
    assert lookup(lake, AuditFilter(start_s=HOUR_S, end_s=HOUR_S + 60, limit=1)).total == 4
    assert lookup(lake, AuditFilter(start_s=HOUR_S, end_s=HOUR_S + 60, offset=10)).total == 4


def test_missing_values_are_empty(lake: Lake) -> None:
    event = lookup(lake, AuditFilter(start_s=HOUR_S, end_s=HOUR_S + 60)).events[0]
    assert (event.error_code, event.response_elements, event.read_only, event.event_s) == ("", "", False, HOUR_S + 2.5)


def test_a_page_has_a_limit(lake: Lake) -> None:
    with pytest.raises(ValueError, match="1 to 1000"):
        names(lake, limit=1_001)
