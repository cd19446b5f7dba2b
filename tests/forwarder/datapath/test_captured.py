"""The engine's window behind the seam: the same columns, made when they are read."""

from __future__ import annotations

from dataclasses import fields

from forwarder.capture.window import ACCEPTED_FLOWS, REJECTED_FLOWS
from forwarder.datapath.captured import captured
from forwarder.engine.window import AcceptedFlows, OpenWindow, RejectedFlows
from tests.forwarder.engine.test_window import enter, used


def test_the_engines_columns_are_those_of_the_schema() -> None:
    assert [column.name for column in fields(AcceptedFlows)] == ACCEPTED_FLOWS.names
    assert [column.name for column in fields(RejectedFlows)] == REJECTED_FLOWS.names


def test_a_flow_is_the_same_row() -> None:
    window = OpenWindow(parts_max=10, rejects_max=10)
    part = enter(window, used(40_000))
    part.in_packets, part.in_bytes, part.in_first_s, part.in_last_s = 3, 120, 1.0, 2.0
    closed = window.close(10.0, [])
    made = captured(closed)
    assert (made.started_s, made.ended_s, made.skipped) == (closed.started_s, closed.ended_s, closed.skipped)
    assert made.accepted["ingress_packets"].to_pylist() == closed.accepted.ingress_packets == [3]
    assert made.rejected.num_rows == 0
