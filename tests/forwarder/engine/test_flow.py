"""What a flow is made of."""

from __future__ import annotations

import sys

from forwarder.engine.flow import SETTLED, Direction, Flow, Part
from forwarder.engine.flow_table import EndpointFlows
from forwarder.wire.inner_packet import TCP
from tests.forwarder.engine.test_flow_table import PLAN, bound_target, key


def test_a_flow_is_its_own_forward_direction() -> None:
    endpoint = EndpointFlows(PLAN)
    made = Flow(endpoint=endpoint, kind=TCP, key=key(1))
    assert made.flow is made
    assert (made.endpoint, made.key, made.phase, made.alive, made.part, made.backward) == (endpoint, key(1), SETTLED, False, None, None)


def test_a_part_is_of_one_target() -> None:
    made = Flow(endpoint=EndpointFlows(PLAN), kind=TCP, key=key(1))
    made.target = bound_target()
    part = Part(made, made.key, 7)
    assert (part.flow, part.target, part.window, part.in_packets, part.out_packets) == (made, made.target, 7, 0, 0)


def test_neither_has_a_dictionary_of_its_own() -> None:
    made = Flow(endpoint=EndpointFlows(PLAN), kind=TCP, key=key(1))
    assert not hasattr(made, "__dict__")
    assert not hasattr(Direction(made, key(2)), "__dict__")
    assert sys.getsizeof(made) < 200
