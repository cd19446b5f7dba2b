"""Endpoints come and go by their id; nothing they counted is lost."""

from __future__ import annotations

from dataclasses import replace

from forwarder.engine.endpoint_set import EndpointSet
from forwarder.plan import Plan
from tests.forwarder.engine.examples import E0, E1, ENDPOINTS, plan


def only(*names: str) -> Plan:
    return replace(plan(), endpoints=tuple(each for each in plan().endpoints if each.endpoint_id in names))


def test_an_endpoint_is_the_same_one_under_every_plan() -> None:
    made = EndpointSet({})
    assert made.follow(plan()) == {}
    first = made.present[E0]
    before = made.follow(only(E0))
    assert set(before) == set(ENDPOINTS)
    assert made.present == {E0: first}
    assert first.plan is not before[E0]
    assert {state.id for state in made.all} == set(ENDPOINTS)


def test_one_that_is_gone_is_forgotten_once_its_flows_are_and_its_counts_stay_in_the_sum() -> None:
    made = EndpointSet({E1: 3})
    made.follow(only(E0, E1))
    counters = made.present[E1].counters
    counters.offered, counters.sent, counters.active_flows = 7, 7, 2
    made.follow(only(E0))
    assert made.forget() == []
    cleared: list[int] = []

    def clear(state: object, budget: int) -> int:
        cleared.append(budget)
        counters.active_flows = 0
        return 2

    made.clear(clear, 10)
    assert cleared == [10]
    assert made.counters()[E1].not_returned == 7
    assert made.forget() == [E1]
    assert (set(made.counters()), made.forgotten.offered, made.forgotten.unrecorded) == ({E0}, 7, 3)


def test_one_that_comes_back_before_goes_on() -> None:
    made = EndpointSet({})
    made.follow(plan())
    state = made.present[E1]
    made.follow(only(E0))
    made.follow(plan())
    assert made.present[E1] is state
    assert made.forget() == []
