"""What a flow is made of."""

from __future__ import annotations

import sys

from forwarder.engine.flow import GONE, Flow, Part
from forwarder.engine.flow_key import reverse_key
from forwarder.engine.flow_table import EndpointFlows
from forwarder.wire.inner_packet import TCP
from tests.forwarder.engine.test_flow_table import PLAN, bound_target, key


def test_a_flow_begins_with_nothing_done_in_either_direction() -> None:
    endpoint = EndpointFlows(PLAN)
    made = Flow(endpoint=endpoint, kind=TCP, key=key(1))
    assert (made.endpoint, made.key, made.phase, made.alive, made.finished) == (endpoint, key(1), GONE, False, 0)
    assert made.part(key(1)) is made.part(reverse_key(TCP, key(1))) is None


def test_each_direction_has_its_part_and_its_balance() -> None:
    made = Flow(endpoint=EndpointFlows(PLAN), kind=TCP, key=key(1))
    made.target = bound_target()
    back = reverse_key(TCP, key(1))
    made.forward_part, made.back_part = Part(made, key(1), 1), Part(made, back, 1)
    assert (made.part(key(1)), made.part(back)) == (made.forward_part, made.back_part)
    made.forward_balance = made.back_balance = 1
    assert [made.unsend(key(1)), made.unsend(key(1)), made.unsend(back)] == [False, True, False]
    assert (made.forward_balance, made.back_balance) == (-1, 0)


def test_a_part_is_of_one_target() -> None:
    made = Flow(endpoint=EndpointFlows(PLAN), kind=TCP, key=key(1))
    made.target = bound_target()
    part = Part(made, made.key, 7)
    assert (part.flow, part.target, part.window, part.in_packets, part.out_packets) == (made, made.target, 7, 0, 0)


def test_neither_has_a_dictionary_of_its_own() -> None:
    made = Flow(endpoint=EndpointFlows(PLAN), kind=TCP, key=key(1))
    assert not hasattr(made, "__dict__")
    assert sys.getsizeof(made) < 200
