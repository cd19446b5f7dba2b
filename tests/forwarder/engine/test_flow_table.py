"""The table: two keys to one flow, a limit, expiry in bounded steps."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarder.capture.counters import TargetCounters
from forwarder.engine.flow import FORWARD, HALF_OPEN, Binding, BoundTarget, Flow, Part
from forwarder.engine.flow_key import reverse_key
from forwarder.engine.flow_table import GIVES_WAY_HALF_OPEN_S, SWEEP_PART, EndpointFlows, FlowTable, release
from forwarder.wire.inner_packet import OTHER, TCP
from tests.forwarder.engine.examples import plan

PLAN = plan().endpoints[0]


def bound_target() -> BoundTarget:
    counters = TargetCounters(load_balancer="lb", target_group="tg", target_id="i-1", address="10.1.0.1", zone="a")
    return BoundTarget(id="i-1", address="10.1.0.1", zone_id="use1-az1", counters=counters)


def key(number: int) -> bytes:
    return bytes((10, 0, 0, 1, 10, 0, 0, 2)) + number.to_bytes(2, "big") + b"\x01\xbb"


def flow(number: int, *, last_s: float = 0.0, idle_timeout_s: float = 350, target: BoundTarget | None = None,
         endpoint: EndpointFlows | None = None) -> Flow:
    made = Flow(endpoint=endpoint or EndpointFlows(PLAN), kind=TCP, key=key(number))
    made.last_s, made.idle_timeout_s, made.binding = last_s, idle_timeout_s, None
    made.target = target or bound_target()
    return made


def table(flows_max: int = 10) -> tuple[FlowTable, EndpointFlows]:
    return FlowTable(flows_max=flows_max), EndpointFlows(PLAN)


def test_both_keys_lead_to_one_flow() -> None:
    made, endpoint = table()
    added = flow(1, endpoint=endpoint)
    made.add(added)
    assert endpoint.find(TCP, key(1)) is endpoint.find(TCP, reverse_key(TCP, key(1))) is added
    assert endpoint.find(TCP, key(2)) is None
    assert endpoint.flows == [{key(1): added}, {}, {}], "one entry"
    assert list(made.flows(endpoint)) == [added]
    assert endpoint.counters.active_flows == added.target.counters.active_flows == len(made) == 1
    made.remove(added)
    assert endpoint.flows == [{}, {}, {}]
    assert endpoint.counters.active_flows == added.target.counters.active_flows == len(made) == 0


def test_a_flow_that_is_its_own_reverse_is_one_too() -> None:
    made, endpoint = table()
    own = Flow(endpoint=endpoint, kind=OTHER, key=b"\x01" + bytes((10, 0, 0, 1)) * 2)
    own.last_s, own.idle_timeout_s, own.binding, own.target = 0.0, 120, None, bound_target()
    made.add(own)
    assert endpoint.flows[OTHER] == {own.key: own}
    made.remove(own)
    assert len(made) == 0


def test_it_takes_no_more_than_its_limit() -> None:
    made, endpoint = table(flows_max=2)
    made.add(flow(1, endpoint=endpoint))
    assert not made.full
    made.add(flow(2, endpoint=endpoint))
    assert made.full
    with pytest.raises(AssertionError):
        made.add(flow(3, endpoint=endpoint))


def test_a_flow_that_was_removed_is_gone_without_the_cycle_collector() -> None:
    made, endpoint = table()
    added = flow(1, endpoint=endpoint)
    made.add(added)
    added.forward_part, added.back_part = Part(added, key(1), 1), Part(added, reverse_key(TCP, key(1)), 1)
    gc.collect()
    gc.disable()
    try:
        made.remove(added)
        made.expire(351.0, 10)
        del added
        assert gc.collect() == 0, "nothing held itself"
    finally:
        gc.enable()


def test_a_flow_expires_at_its_timeout() -> None:
    made, endpoint = table()
    made.add(flow(1, idle_timeout_s=350, endpoint=endpoint))
    assert made.expire(349.9, 10) == 0
    assert made.expire(350.0, 10) == 1
    assert len(made) == made.waiting == 0


def test_a_flow_that_was_used_is_put_back() -> None:
    made, endpoint = table()
    used = flow(1, idle_timeout_s=120, endpoint=endpoint)
    made.add(used)
    used.last_s = 100.0
    assert made.expire(120.0, 10) == 0
    assert made.expire(219.0, 10) == 0
    assert made.expire(220.0, 10) == 1


def test_expiry_does_no_more_than_its_budget() -> None:
    made, endpoint = table()
    for number in range(10):
        made.add(flow(number, endpoint=endpoint))
    assert [made.expire(1000.0, 4) for _ in range(4)] == [4, 4, 2, 0]


def test_removed_flows_are_let_go_with_the_next_looks_for_expiry() -> None:
    made, endpoint = table(flows_max=1000)
    for number in range(900):
        added = flow(number, last_s=float(number % 9), endpoint=endpoint)
        made.add(added)
        if number % 3:
            made.remove(added)
    assert (len(made), made.waiting) == (300, 900)
    for _ in range(4):
        made.expire(10.0, 50)
    # A ninth of the seconds has nobody left and keeps one until it comes.
    assert made.waiting <= 300 + 300 // SWEEP_PART


def test_removed_flows_do_not_pile_up() -> None:
    made, endpoint = table(flows_max=5)
    for number in range(1000):
        added = flow(number % 7, endpoint=endpoint)
        made.add(added)
        assert made.waiting <= 10
        made.remove(added)


def test_a_shared_binding_goes_with_its_last_flow() -> None:
    endpoint = EndpointFlows(PLAN)
    binding = Binding(name=b"n", target=bound_target(), plan=PLAN, idle_timeout_s=350, now_s=0.0)
    endpoint.bindings[b"n"] = binding
    binding.flows = 2
    release(binding, endpoint)
    assert endpoint.bindings == {b"n": binding}
    newer = Binding(name=b"n", target=bound_target(), plan=PLAN, idle_timeout_s=350, now_s=0.0)
    endpoint.bindings[b"n"] = newer
    release(binding, endpoint)
    assert endpoint.bindings == {b"n": newer}, "another took its place"


@given(st.lists(st.tuples(st.integers(0, 8), st.floats(0, 1000), st.booleans()), max_size=60))
def test_what_is_idle_goes_and_what_is_not_stays(steps: list[tuple[int, float, bool]]) -> None:
    made, endpoint = table(flows_max=9)
    now_s = 0.0
    live: dict[int, Flow] = {}
    for number, later_s, use in steps:
        now_s += later_s / 10
        if number in live and use:
            live[number].last_s = now_s
        elif number not in live:
            live[number] = flow(number, last_s=now_s, idle_timeout_s=120 if number % 2 else 350, endpoint=endpoint)
            made.add(live[number])
        made.expire(now_s, 100)
        there = list(made.flows(endpoint))
        assert len(made) == len(there) == endpoint.counters.active_flows
        due_s = {entry.key: entry.last_s + entry.idle_timeout_s for entry in live.values()}
        assert {each for each, time_s in due_s.items() if time_s > now_s} <= {entry.key for entry in there}
        assert all(due_s[entry.key] > now_s - 1 for entry in there), "it goes within a second"
        live = {name: entry for name, entry in live.items() if entry.alive}


def test_a_shorter_idle_timeout_holds_for_flows_that_wait_for_the_longer_one() -> None:
    made, endpoint = table()
    made.add(flow(1, last_s=0.0, idle_timeout_s=6000, endpoint=endpoint))
    made.add(flow(2, last_s=50.0, idle_timeout_s=30, endpoint=endpoint))
    made.shorten(lambda flow: 60.0)
    assert made.expire(59.9, 10) == 0
    assert made.expire(60.0, 10) == 1
    assert made.expire(80.0, 10) == 1, "what was shorter already stays so"


def test_a_clock_that_is_set_leaves_flows_as_old_as_they_were() -> None:
    made, endpoint = table()
    gone = flow(3, endpoint=endpoint)
    for one in (flow(1, last_s=0.0), flow(2, last_s=100.0), gone):
        made.add(one)
    made.remove(gone)
    made.clock_stepped(-86_400.0)
    assert made.waiting == 2
    assert made.expire(-86_400.0 + 349.9, 10) == 0
    assert made.expire(-86_400.0 + 350.0, 10) == 1
    made.clock_stepped(86_400.0)
    assert made.expire(449.9, 10) == 0
    assert made.expire(450.0, 10) == 1


def test_an_opening_packet_that_waits_for_its_answer_does_not_give_way_while_a_closed_flow_can() -> None:
    """A table full of closed flows, as a port scan leaves: each new connection would drive out the one before it."""
    made, endpoint = table()
    waiting = flow(1, last_s=99.0, endpoint=endpoint)
    waiting.phase = HALF_OPEN
    made.add(waiting)
    for number in (2, 3):
        made.add(flow(number, last_s=0.0, endpoint=endpoint))
        made.note_closing(endpoint.flows[TCP][key(number)], FORWARD, 4)
    assert [made.give_way(100.0), made.give_way(100.0)] == ["closed", "closed"]
    assert waiting.alive
    made.add(flow(4, last_s=100.0, endpoint=endpoint))
    made.note_closing(endpoint.flows[TCP][key(4)], FORWARD, 4)
    assert [made.give_way(99.0 + GIVES_WAY_HALF_OPEN_S), made.give_way(102.0)] == ["half_open", "closed"], "it waited long enough"
    again = flow(5, last_s=102.0, endpoint=endpoint)
    again.phase = HALF_OPEN
    made.add(again)
    assert made.give_way(102.0) == "half_open", "nothing else is left"
    assert made.gave_way == {"closed": 3, "half_open": 2}
