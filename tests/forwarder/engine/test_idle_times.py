"""Idle times: the earliest second first, nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarder.engine.flow import GONE, SETTLED
from forwarder.engine.idle_times import IdleTimes, due_second
from tests.forwarder.engine.test_flow_table import flow


@given(st.lists(st.tuples(st.floats(0, 100), st.sampled_from([30.0, 120.0, 350.0])), max_size=40))
def test_flows_come_by_their_second(times: list[tuple[float, float]]) -> None:
    flows = [flow(number, last_s=last_s, idle_timeout_s=idle_s) for number, (last_s, idle_s) in enumerate(times)]
    waiting, seconds = IdleTimes(flows), []
    assert len(waiting) == len(list(waiting)) == len(flows)
    while waiting.second is not None:
        assert waiting.first.last_s + waiting.first.idle_timeout_s <= waiting.second
        seconds.append(waiting.second)
        flows.remove(waiting.drop_first())
    assert seconds == sorted(seconds)
    assert (flows, len(waiting)) == ([], 0)


def test_a_flow_that_is_put_again_waits_until_its_new_time() -> None:
    waiting = IdleTimes([flow(1, last_s=0.0, idle_timeout_s=30)])
    used = waiting.drop_first()
    used.last_s = 10.5
    waiting.put(used)
    assert waiting.second == due_second(used) == 41


def test_flows_that_are_no_more_are_swept_out_with_a_budget() -> None:
    flows = [flow(number, last_s=float(number // 10), idle_timeout_s=30) for number in range(100)]
    for number, one in enumerate(flows):
        one.phase = SETTLED if number % 2 == 0 and number >= 10 else GONE
    waiting = IdleTimes(flows)
    waiting.sweep(20)
    assert 85 <= len(waiting) < 100
    waiting.sweep(100)
    # Of the second in which all are gone one stays until its time.
    assert len(waiting) == len(list(waiting)) == 46
    assert [one for one in waiting if one.alive] == [one for one in flows if one.alive]
    while waiting.second is not None:
        waiting.drop_first()
    waiting.sweep(10)
    assert len(waiting) == 0


def test_there_is_no_first_of_none() -> None:
    assert IdleTimes().second is None
    with pytest.raises(IndexError):
        assert IdleTimes().first
