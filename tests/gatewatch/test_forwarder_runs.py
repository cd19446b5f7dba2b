"""Counters go on from run to run, and a run that was killed is known as such."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gatewatch.forwarder_runs import add, before, with_all_runs


def status(offered: int, *, ended: bool, earlier: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "ended": ended, "before": earlier or before(None),
        "packets": {"offered": offered, "delivered": offered - 1, "dropped": {"no_target": 1}},
        "endpoints": [{"id": "vpce-1", "device": "vpce0", "offered": offered, "delivered": offered - 1, "frames_other": 2}],
        "targets": [{"target_id": "i-1", "address": "10.1.1.11", "sent_packets": offered, "returned_packets": offered - 1}],
    }


def test_the_first_run_has_nothing_before_it() -> None:
    assert with_all_runs(status(7, ended=False))["packets"]["offered"] == 7
    assert before(None)["runs"] == 0


def test_each_run_carries_on_what_was_counted() -> None:
    first = status(10, ended=True)
    second = status(20, ended=False, earlier=before(first))
    third = with_all_runs(status(30, ended=False, earlier=before(second)))
    assert third["packets"] == {"offered": 60, "delivered": 57, "dropped": {"no_target": 3}}
    assert third["endpoints"] == [
        {"id": "vpce-1", "device": "vpce0", "offered": 60, "delivered": 57, "frames_other": 6}
    ]
    assert third["targets"][0] == {
        "target_id": "i-1", "address": "10.1.1.11", "sent_packets": 60, "returned_packets": 57
    }


def test_a_run_that_did_not_say_it_ended_was_cut_short() -> None:
    clean = before(status(1, ended=True))
    assert (clean["runs"], clean["cut_short"]) == (1, 0)
    killed = before(status(1, ended=False, earlier=clean))
    assert (killed["runs"], killed["cut_short"]) == (2, 1)


def test_an_endpoint_that_is_gone_stays_in_the_whole() -> None:
    second = {**status(5, ended=False, earlier=before(status(10, ended=True))), "endpoints": [], "targets": []}
    assert with_all_runs(second)["packets"]["offered"] == 15
    assert with_all_runs(second)["endpoints"] == []


COUNTS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 9) , max_size=3)


@given(COUNTS, COUNTS)
def test_adding_loses_nothing_and_does_not_mind_the_order(one: dict[str, int], other: dict[str, int]) -> None:
    assert add({"x": one}, {"x": other}) == add({"x": other}, {"x": one})
    assert sum(add(one, other).values()) == sum(one.values()) + sum(other.values())
