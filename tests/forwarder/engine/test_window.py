"""The capture window: columns, limits, and what does not fit."""

from __future__ import annotations

from dataclasses import fields

from forwarder.capture.drop_reason import DropReason
from forwarder.engine.flow import GONE, SETTLED, Flow, Part
from forwarder.engine.window import UNREADABLE, AcceptedFlows, OpenWindow, RejectedFlows
from forwarder.wire.inner_packet import TCP
from tests.forwarder.engine.examples import E0, E1
from tests.forwarder.engine.test_flow_table import bound_target, flow, key


def window(parts_max: int = 10, rejects_max: int = 10) -> OpenWindow:
    return OpenWindow(parts_max=parts_max, rejects_max=rejects_max)


def used(number: int) -> Flow:
    made = flow(number, target=bound_target())
    made.entropy_port, made.phase = 50_000, SETTLED
    return made


def enter(into: OpenWindow, one: Flow) -> Part:
    return into.enter(one, one.key)


def test_a_flow_becomes_a_row() -> None:
    open_window = window()
    part = enter(open_window, used(40_000))
    part.in_packets, part.in_bytes, part.in_flags, part.in_first_s, part.in_last_s = 3, 120, 2, 1.0, 2.0
    part.out_packets, part.out_bytes, part.out_flags, part.out_first_s, part.out_last_s = 2, 80, 18, 1.5, 1.75
    accepted = open_window.close(10.0, []).accepted
    assert {column.name: getattr(accepted, column.name) for column in fields(AcceptedFlows)} == {
        "endpoint": [E0], "target_id": ["i-1"], "target_address": ["10.1.0.1"],
        "target_zone_id": ["use1-az1"], "entropy_port": [50_000], "source_address": ["10.0.0.1"],
        "destination_address": ["10.0.0.2"], "source_port": [40_000], "destination_port": [443], "protocol": [6],
        "ip_version": [4], "ingress_packets": [3], "ingress_bytes": [120], "ingress_first_s": [1.0],
        "ingress_last_s": [2.0], "ingress_tcp_flags": [2], "egress_packets": [2], "egress_bytes": [80],
        "egress_first_s": [1.5], "egress_last_s": [1.75], "egress_tcp_flags": [18],
    }


def test_a_part_without_packets_is_no_row() -> None:
    open_window = window()
    enter(open_window, used(1))
    closed = open_window.close(1.0, [])
    assert (len(closed.accepted), len(closed.rejected)) == (0, 0)


def test_refused_packets_of_a_flow_add_up() -> None:
    open_window = window()
    first = (E1, DropReason.NO_TARGET, TCP, key(7))
    assert open_window.reject(first, 40, 2, 1.0) is True
    assert open_window.reject(first, 60, 4, 3.0) is False
    assert open_window.reject((E1, DropReason.MALFORMED, UNREADABLE, b""), 9, 0, 2.0) is True
    rejected = open_window.close(10.0, []).rejected
    assert {column.name: getattr(rejected, column.name) for column in fields(RejectedFlows)} == {
        "endpoint": [E1, E1], "reason": [DropReason.NO_TARGET, DropReason.MALFORMED],
        "source_address": ["10.0.0.1", "-"], "destination_address": ["10.0.0.2", "-"], "source_port": [7, 0],
        "destination_port": [443, 0], "protocol": [6, 0], "ip_version": [4, 0], "packets": [2, 1], "bytes": [100, 9],
        "first_s": [1.0, 2.0], "last_s": [3.0, 2.0], "tcp_flags": [6, 0],
    }


def test_what_does_not_fit_is_counted_as_skipped() -> None:
    open_window = window(parts_max=1, rejects_max=1)
    entered = enter(open_window, used(1))
    assert entered.window == open_window.number
    assert enter(open_window, used(2)).window != open_window.number
    open_window.reject((E1, DropReason.NO_TARGET, TCP, key(1)), 40, 0, 0.0)
    open_window.reject((E1, DropReason.NO_TARGET, TCP, key(2)), 40, 0, 0.0)
    open_window.skip(E1, 5)
    assert open_window.close(1.0, []).skipped == {E0: 1, E1: 6}
    assert open_window.close(2.0, []).skipped == {}
    # What was never read is counted as dropped; these were read, and are told nowhere else.
    assert open_window.unrecorded == {E0: 1, E1: 1}


def test_windows_follow_each_other() -> None:
    open_window = window()
    windows = [open_window.close(5.0, []), open_window.close(15.0, [])]
    assert [(window.started_s, window.ended_s) for window in windows] == [(5.0, 5.0), (5.0, 15.0)]


def test_a_closed_window_does_not_change() -> None:
    open_window = window()
    seen = used(1)
    enter(open_window, seen).in_packets = 1
    closed = open_window.close(1.0, [])
    enter(open_window, seen).in_packets = 9
    assert closed.accepted.ingress_packets == [1]


def test_what_a_direction_did_is_forgotten_once_the_window_is_closed() -> None:
    open_window = window()
    seen, used_again = used(1), used(2)
    for one in (seen, used_again):
        enter(open_window, one).in_packets = 1
    closed = open_window.close(1.0, [])
    later = enter(open_window, used_again)
    open_window.forget_closed(1)
    assert (seen.forward_part, used_again.forward_part) == (None, later)
    open_window.forget_closed(100)
    assert used_again.forward_part is later
    assert closed.accepted.ingress_packets == [1, 1]


def test_a_flow_without_an_entry_is_in_no_window() -> None:
    open_window = window()
    roomless = used(1)
    roomless.phase = GONE
    assert enter(open_window, roomless).window != open_window.number
    assert open_window.close(1.0, []).skipped == {E0: 1}
