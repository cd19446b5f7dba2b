"""The life of a target: registering, checking, healthy, unhealthy, unused, draining, gone; and when it is probed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarder.desired import HealthCheck, TargetState
from forwarder.target_health import (
    CHECKING,
    DRAINING,
    HEALTHY,
    NOT_LISTENED,
    REGISTERING,
    UNHEALTHY,
    ZONE_NOT_ENABLED,
    TargetHealth,
    TargetStatus,
    invalid_state,
    unused_because,
)
from tests.forwarder.engine.examples import target

CHECK = HealthCheck(interval_s=10, healthy_threshold=3, unhealthy_threshold=2)


def health(*results: bool, stored: TargetStatus | None = None) -> TargetHealth:
    made = TargetHealth(check=CHECK, now_s=0.0, stored=stored)
    for number, passed in enumerate(results):
        made.probe_started(10.0 * number)
        made.probe_finished(passed)
    return made


def test_a_new_target_registers_and_is_checked_at_once() -> None:
    made = health()
    assert made.status == REGISTERING
    assert made.probe_due_s == 0.0
    assert made.probe_started(1.0) is True
    assert made.status == CHECKING
    assert made.probe_due_s == 11.0
    assert made.probe_started(11.0) is False


@pytest.mark.parametrize(("results", "expected"), [
    ([True], HEALTHY),
    ([False], CHECKING),
    ([False, True], HEALTHY),
    ([False, False], UNHEALTHY),
    ([True, False], HEALTHY),
    ([True, False, True, False], HEALTHY),
    ([True, False, False], UNHEALTHY),
    ([True, False, False, True, True], UNHEALTHY),
    ([True, False, False, True, True, True], HEALTHY),
    ([True, False, False, True, True, False, True, True], UNHEALTHY),
])
def test_results_in_a_row_change_the_state(results: list[bool], expected: TargetStatus) -> None:
    assert health(*results).status == expected


def test_every_status_has_aws_reason_and_text() -> None:
    assert UNHEALTHY == ("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
    assert HEALTHY == ("healthy", "", "")
    assert DRAINING == ("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
    assert NOT_LISTENED.reason == ZONE_NOT_ENABLED.reason == "Target.NotInUse"
    assert invalid_state("stopped") == ("unused", "Target.InvalidState", "Target is in the stopped state")


@pytest.mark.parametrize(("listened", "zone_enabled", "instance_state", "expected"), [
    (True, True, "running", None),
    (False, True, "running", NOT_LISTENED),
    (True, False, "running", ZONE_NOT_ENABLED),
    (True, True, "stopped", invalid_state("stopped")),
])
def test_why_a_target_is_unused(
    listened: bool, zone_enabled: bool, instance_state: str, expected: TargetStatus | None
) -> None:
    assert unused_because(listened=listened, zone_enabled=zone_enabled, instance_state=instance_state) == expected


def test_an_unused_target_is_not_probed_and_begins_anew_when_used() -> None:
    made = health(True)
    assert made.observe(20.0, check=CHECK, unused=NOT_LISTENED) is True
    assert (made.status, made.probe_due_s) == (NOT_LISTENED, None)
    assert made.probe_finished(True) is False, "a late result"
    assert made.observe(30.0, check=CHECK) is True
    assert (made.status, made.probe_due_s) == (REGISTERING, 30.0)


def test_a_deregistered_target_drains_and_is_gone_after_the_delay() -> None:
    made = health(True)
    assert made.observe(20.0, check=CHECK, deregistered_at_s=15.0, deregistration_delay_s=300.0) is True
    assert (made.status, made.probe_due_s) == (DRAINING, None)
    assert made.probe_finished(False) is False
    assert (made.gone(314.0), made.gone(315.0)) == (False, True)
    assert made.observe(400.0, check=CHECK) is True, "registered again"
    assert made.status == REGISTERING
    assert made.gone(400.0) is False


def test_observing_the_same_changes_nothing() -> None:
    made = health(True, False)
    assert made.observe(20.0, check=CHECK) is False
    made.probe_finished(False)
    assert made.status == UNHEALTHY, "the failure before still counts"


def test_a_changed_check_holds_from_the_next_result() -> None:
    made = health(True)
    made.observe(10.0, check=HealthCheck(interval_s=5, unhealthy_threshold=3))
    made.probe_started(10.0)
    assert made.probe_due_s == 15.0
    assert [made.probe_finished(False) for _ in range(3)] == [False, False, True]


def test_it_goes_on_from_what_was_stored() -> None:
    stored = target(1, TargetState.UNHEALTHY, reason=UNHEALTHY.reason, description=UNHEALTHY.description)
    made = TargetHealth.resume(stored, check=CHECK, now_s=5.0)
    assert (made.status, made.probe_due_s) == (UNHEALTHY, 5.0)
    assert [made.probe_finished(True) for _ in range(3)] == [False, False, True]


@given(st.lists(st.booleans(), max_size=40))
def test_it_changes_only_after_enough_results_in_a_row(results: list[bool]) -> None:
    made = TargetHealth(check=CHECK, now_s=0.0)
    for number, passed in enumerate(results):
        made.probe_started(float(number))
        before = made.status
        changed = made.probe_finished(passed)
        assert changed == (made.status != before)
        if changed:
            needed = 1 if before == CHECKING else CHECK.healthy_threshold
            needed = needed if made.status == HEALTHY else CHECK.unhealthy_threshold
            assert results[:number + 1][-needed:] == [made.status == HEALTHY] * needed


def test_a_shorter_interval_holds_at_once_and_not_after_the_longer_one() -> None:
    made = TargetHealth(check=replace(CHECK, interval_s=300), now_s=0.0)
    made.probe_started(0.0)
    assert made.probe_due_s == 300.0
    made.observe(20.0, check=replace(CHECK, interval_s=5))
    assert made.probe_due_s == 25.0
    made.observe(21.0, check=replace(CHECK, interval_s=60))
    assert made.probe_due_s == 25.0, "a longer one holds from the next probe on"
