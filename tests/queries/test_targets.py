"""Where targets stand, and their timeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from queries.lake import Lake
from queries.targets import current, timeline
from tests.queries.lake_builder import HOUR_S, health_change, publish


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    publish(tmp_path, "target_health", [
        health_change(HOUR_S - 7_200, "i-1", "initial", reason="Elb.RegistrationInProgress"),
        health_change(HOUR_S - 7_100, "i-1", "healthy"),
    ])
    publish(tmp_path, "target_health", [
        health_change(HOUR_S + 10, "i-1", "unhealthy", reason="Target.FailedHealthChecks", description="failed"),
        health_change(HOUR_S + 40, "i-1", "healthy"),
        health_change(HOUR_S + 20, "i-2", "healthy", load_balancer=None),
    ])
    return Lake(tmp_path)


def test_a_target_is_in_the_state_of_its_last_change(lake: Lake) -> None:
    without_balancer, first = current(lake, now_s=HOUR_S + 30)
    assert (first.target_id, first.state, first.reason) == ("i-1", "unhealthy", "Target.FailedHealthChecks")
    assert (first.since_s, first.changes) == (HOUR_S + 10, 3)
    assert (without_balancer.target_id, without_balancer.load_balancer) == ("i-2", "")


def test_the_future_is_not_known_yet(lake: Lake) -> None:
    assert [(each.target_id, each.state) for each in current(lake, now_s=HOUR_S)] == [("i-1", "healthy")]


def test_segments_are_cut_to_the_range_and_leave_no_gap(lake: Lake) -> None:
    segments = [each for each in timeline(lake, start_s=HOUR_S, end_s=HOUR_S + 60) if each.target_id == "i-1"]
    assert [(each.state, each.start_s - HOUR_S, each.end_s - HOUR_S) for each in segments] == [
        ("healthy", 0, 10), ("unhealthy", 10, 40), ("healthy", 40, 60),
    ]


def test_no_changes_are_no_targets(tmp_path: Path) -> None:
    assert current(Lake(tmp_path), now_s=HOUR_S) == []
    assert timeline(Lake(tmp_path), start_s=0, end_s=HOUR_S) == []
