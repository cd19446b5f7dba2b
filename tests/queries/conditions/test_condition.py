"""The table of conditions: complete, in sentences, with something to do."""

from __future__ import annotations

import pytest

from forwarder.capture.drop_reason import DROP_REASONS, DropReason
from forwarder.telemetry.standing import STATES
from queries.conditions.condition import CONDITIONS, Severity, alarm_name


@pytest.mark.parametrize("code", CONDITIONS)
def test_a_row_says_what_it_means_and_what_to_do(code: str) -> None:
    kind = CONDITIONS[code]
    assert kind.meaning.endswith(".")
    assert kind.action.endswith((".", "?"))
    assert not kind.heading.endswith(".")
    assert kind.alarm <= (kind.severity is Severity.CRITICAL)


def test_every_reason_that_refuses_all_traffic_has_a_condition() -> None:
    whole = {DropReason.NO_LOAD_BALANCER, DropReason.NO_LISTENER, DropReason.NO_TARGET,
             DropReason.RECEIVE_QUEUE_FULL, DropReason.SEND_FAILED, DropReason.DELIVER_FAILED}
    assert {str(reason) for reason in whole} <= set(CONDITIONS)
    assert set(STATES) <= set(CONDITIONS)
    # The others are about single packets or flows.
    assert whole | {DropReason.MALFORMED, DropReason.OVERSIZE, DropReason.UNKNOWN_FLOW, DropReason.NOT_RETURNED} == {
        reason for reason in DROP_REASONS if not reason.startswith("return_")
    }


def test_an_alarms_name() -> None:
    assert alarm_name("no_target") == "gatewatch-no-target"
