"""Handing over at the end: what it waits for, and that it says what it leaves."""

from __future__ import annotations

from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from gatewatch.bus.hand_over import HAND_OVER_S, hand_over
from gatewatch.bus.message import Publisher, TopicCount
from gatewatch.supervisor import STOP_WAIT_S


class Bus:
    """A bus whose broker takes everything, or nothing."""

    def __init__(self, takes: bool) -> None:
        self.takes = takes
        self.waited_s: list[float] = []

    def flush(self, timeout_s: float) -> bool:
        self.waited_s.append(timeout_s)
        return self.takes

    def counts(self) -> list[TopicCount]:
        return [TopicCount(topic="t", messages=9, records=9, acknowledged=6, held=3, given_up=0)] * 2


@pytest.mark.parametrize(("takes", "said"), [
    (True, []),
    (False, [{"event": "the broker has not taken everything; the rest stays in the spool", "log_level": "warning", "messages": 6}]),
])
def test_it_waits_once_and_says_what_stays(takes: bool, said: list[dict[str, Any]]) -> None:
    bus = Bus(takes)
    with capture_logs() as logs:
        assert hand_over(cast(Publisher, bus)) is takes
    assert bus.waited_s == [HAND_OVER_S]
    assert logs == said


def test_a_service_is_done_waiting_before_the_supervisor_loses_its_patience() -> None:
    assert HAND_OVER_S < STOP_WAIT_S
