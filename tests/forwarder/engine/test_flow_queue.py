"""The queue: order of coming, any may leave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarder.engine.flow import Flow
from forwarder.engine.flow_queue import FlowQueue
from tests.forwarder.engine.test_flow_table import flow


def contents(queue: FlowQueue) -> list[Flow]:
    found, one = [], queue.first
    while one is not None:
        found.append(one)
        one = one.after
    return found


@given(st.lists(st.integers(0, 5)))
def test_it_is_a_list_that_forgets_from_anywhere(numbers: list[int]) -> None:
    queue, flows, expected = FlowQueue(), [flow(number) for number in range(6)], list[Flow]()
    for number in numbers:
        one = flows[number]
        if one in expected:
            queue.remove(one)
            expected.remove(one)
            assert (one.before, one.after) == (None, None)
        else:
            queue.append(one)
            expected.append(one)
        assert contents(queue) == expected
        assert len(queue) == len(expected)


def test_a_flow_is_in_a_queue_once() -> None:
    queue, one = FlowQueue(), flow(1)
    queue.append(one)
    with pytest.raises(AssertionError):
        queue.append(one)
    queue.append(flow(2))
    with pytest.raises(AssertionError):
        queue.append(one)


def test_what_is_not_there_cannot_be_taken_out() -> None:
    queue = FlowQueue()
    queue.append(flow(1))
    with pytest.raises(AssertionError):
        queue.remove(flow(2))
