"""The books of packets: live, and against metrics and flow records in the lake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gatewatch.forwarder_runs import before
from gatewatch.status_file import write_status
from queries import packet_books
from queries.hop import Books
from tests.queries.lake_builder import HOUR_S, balancer_flow, flow, metric, publish

LIVE = {
    "offered": 20, "sent": 15, "returned": 14, "originated": 1, "delivered": 13,
    "dropped": {"no_target": 3, "send_failed": 1, "receive_queue_full": 1, "not_returned": 2, "deliver_failed": 1},
}
FLOWS = [
    flow(HOUR_S, packets=10), flow(HOUR_S, packets=5), flow(HOUR_S, packets=13, flow_direction="egress"),
    flow(HOUR_S, packets=3, action="REJECT", gw_drop_reason="no_target"),
    flow(HOUR_S, packets=1, action="REJECT", gw_drop_reason="send_failed"),
    flow(HOUR_S, packets=1, action="REJECT", gw_drop_reason="deliver_failed"),
    balancer_flow(HOUR_S, "i-1", packets=15), flow(HOUR_S, log_status="NODATA", packets=None, action=None),
]


def own(name: str, value: float, **dimensions: str) -> dict[str, Any]:
    return metric(HOUR_S, name, value, namespace="Gatewatch", dimensions=dimensions)


METRICS = [
    own("PacketsOffered", 12), own("PacketsOffered", 8), own("PacketsSent", 15), own("PacketsReturned", 14),
    own("PacketsOriginated", 1), own("PacketsDelivered", 13),
    own("PacketsDropped", 4, Reason="not_returned"), own("PacketsDropped", -2, Reason="not_returned"),
    *(own("PacketsDropped", count, Reason=reason) for reason, count in LIVE["dropped"].items() if reason != "not_returned"),
    own("ReturnsRefused", 50, Reason="return_malformed"), metric(HOUR_S, "PacketsOffered", 999.0),
]


def books_of(
    data: Path, live: dict[str, Any] | None = LIVE, *, age_s: float = 100.0, under_way: bool = False
) -> Books:
    if live is not None:
        write_status(data, "forwarder", HOUR_S, {"packets": live})
    books = Books()
    packet_books.enter(books, data, now_s=HOUR_S + age_s, under_way=under_way)
    return books


def test_packets_balance_live_and_in_the_lake(tmp_path: Path) -> None:
    publish(tmp_path, "flow_logs", FLOWS[:3])
    publish(tmp_path, "flow_logs", FLOWS[3:])
    publish(tmp_path, "metrics", METRICS)
    books = books_of(tmp_path)
    assert (books.differences, books.notes) == ([], [])
    assert [(hop.name, hop.received, hop.sent) for hop in books.hops] == [
        ("endpoints", 20, 15), ("targets", 16, 14), ("delivery", 14, 13), ("whole gateway", 21, 13),
        ("offered, in metrics", 20, 20), ("delivered, in metrics", 13, 13), ("dropped, in metrics", 8, 8),
        ("handed to targets, in flow records", 16, 16), ("returned, in flow records", 14, 14),
        ("refused, in flow records", 3, 3),
    ]


@pytest.mark.parametrize("name", ["offered", "sent", "returned", "originated", "delivered"])
def test_a_counter_that_is_one_off_is_found(tmp_path: Path, name: str) -> None:
    books = books_of(tmp_path, {**LIVE, name: LIVE[name] + 1}, under_way=True)  # type: ignore[operator]
    assert {each.chain for each in books.differences} == {"packets"}


def test_what_the_lake_lacks_is_held_while_things_move(tmp_path: Path) -> None:
    publish(tmp_path, "flow_logs", FLOWS[:1])
    for books in (books_of(tmp_path, age_s=0.5), books_of(tmp_path, under_way=True)):
        assert books.differences == []
        held = {hop.name: hop.held for hop in books.hops if hop.held}
        assert held == {
            "offered, in metrics": 20, "delivered, in metrics": 13, "dropped, in metrics": 8,
            "handed to targets, in flow records": 6, "returned, in flow records": 14, "refused, in flow records": 3,
        }


def test_what_the_lake_lacks_at_rest_is_a_difference(tmp_path: Path) -> None:
    publish(tmp_path, "metrics", METRICS)
    publish(tmp_path, "flow_logs", FLOWS[:-3])
    assert [(each.what, each.expected, each.found) for each in books_of(tmp_path).differences] == [
        ("returned, in flow records", 14, 13)
    ]


def test_what_the_lake_has_too_much_is_a_difference(tmp_path: Path) -> None:
    publish(tmp_path, "metrics", METRICS)
    publish(tmp_path, "flow_logs", [*FLOWS, FLOWS[0]])
    assert [(each.what, each.found - each.expected) for each in books_of(tmp_path).differences] == [
        ("handed to targets, in flow records", 10)
    ]


def test_a_lake_ahead_of_a_status_of_a_second_ago_is_no_difference(tmp_path: Path) -> None:
    publish(tmp_path, "flow_logs", [*FLOWS, FLOWS[0]])
    publish(tmp_path, "metrics", [*METRICS, own("PacketsOffered", 10)])
    assert books_of(tmp_path, age_s=0.5).differences == []


SKIP = flow(HOUR_S, log_status="SKIPDATA", packets=None, action=None)


@pytest.mark.parametrize("unrecorded", [0, 9, 11])
def test_skipdata_lines_excuse_no_more_and_no_less_than_was_left_out(tmp_path: Path, unrecorded: int) -> None:
    publish(tmp_path, "metrics", METRICS)
    publish(tmp_path, "flow_logs", [*FLOWS[1:], SKIP])
    assert books_of(tmp_path, {**LIVE, "unrecorded": unrecorded}).differences != []


def test_what_was_left_out_explains_what_is_missing_but_not_what_is_too_much(tmp_path: Path) -> None:
    publish(tmp_path, "metrics", METRICS)
    publish(tmp_path, "flow_logs", [*FLOWS[1:], SKIP])
    live = {**LIVE, "unrecorded": 10}
    books = books_of(tmp_path, live)
    assert books.differences == []
    assert {hop.name: hop.dropped for hop in books.hops}["handed to targets, in flow records"] == {"skipdata": 10}
    assert "1 SKIPDATA lines" in books.notes[0]
    publish(tmp_path, "flow_logs", [FLOWS[0], FLOWS[0]])
    assert [each.what for each in books_of(tmp_path, live).differences] == [
        "handed to targets, in flow records", "packets said to be in no record"
    ]


def test_earlier_runs_are_compared_within_the_lake(tmp_path: Path) -> None:
    for _ in range(2):
        publish(tmp_path, "metrics", METRICS)
        publish(tmp_path, "flow_logs", FLOWS)
    books = books_of(tmp_path)
    assert books.differences == []
    assert "earlier runs" in books.notes[0]
    publish(tmp_path, "flow_logs", FLOWS[:1])
    assert len(books_of(tmp_path).differences) == 1


def test_without_a_forwarder_there_is_a_note(tmp_path: Path) -> None:
    books = books_of(tmp_path, None)
    assert (books.hops, books.notes) == ([], ["the forwarder has not written its counters yet"])


def test_what_a_killed_forwarder_took_with_it_is_named(tmp_path: Path) -> None:
    publish(tmp_path, "metrics", METRICS)
    publish(tmp_path, "flow_logs", FLOWS)
    taken = {**LIVE, "offered": 24, "sent": 19, "returned": 18, "delivered": 17}
    counted = {"packets": {name: taken[name] for name in taken}, "endpoints": [], "targets": []}
    write_status(tmp_path, "forwarder", HOUR_S, {"packets": {}, "before": before(counted)})
    books = Books()
    packet_books.enter(books, tmp_path, now_s=HOUR_S + 100, under_way=False)
    assert "the forwarder was killed 1 time:" in books.notes[0]
    assert {(each.what, each.expected - each.found) for each in books.differences} == {
        ("offered, in metrics", 4), ("delivered, in metrics", 4),
        ("handed to targets, in flow records", 4), ("returned, in flow records", 4),
    }


@pytest.mark.parametrize(("ended", "age_s", "noted"), [(False, 100, True), (True, 100, False), (False, 1, False)])
def test_a_forwarder_that_is_silent_and_has_not_ended_is_told_of(
    tmp_path: Path, ended: bool, age_s: int, noted: bool
) -> None:
    publish(tmp_path, "metrics", METRICS)
    publish(tmp_path, "flow_logs", FLOWS)
    write_status(tmp_path, "forwarder", HOUR_S, {"packets": LIVE, "ended": ended})
    books = Books()
    packet_books.enter(books, tmp_path, now_s=HOUR_S + age_s, under_way=False)
    assert any("it was killed or hangs" in note for note in books.notes) == noted


def test_a_forwarder_that_ended_and_began_again_balances(tmp_path: Path) -> None:
    publish(tmp_path, "metrics", METRICS)
    publish(tmp_path, "flow_logs", FLOWS)
    counted = {"ended": True, "packets": LIVE, "endpoints": [], "targets": []}
    write_status(tmp_path, "forwarder", HOUR_S, {"packets": {}, "before": before(counted)})
    books = Books()
    packet_books.enter(books, tmp_path, now_s=HOUR_S + 100, under_way=False)
    assert (books.differences, books.notes) == ([], [])


def test_what_troubles_the_forwarder_is_noted(tmp_path: Path) -> None:
    write_status(tmp_path, "forwarder", HOUR_S, {
        "packets": {}, "inventory_problem": "the inventory x is wrong: y", "errors": {"packets": 0, "control": 2},
    })
    books = Books()
    packet_books.enter(books, tmp_path, now_s=HOUR_S, under_way=False)
    assert books.notes == [
        "the inventory x is wrong: y; the forwarder goes on with the one before",
        "the forwarder met 2 errors and went on; logs/forwarder.log has them",
    ]
