"""Who goes when the port is full: those who say nothing, the oldest of the same client first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gatewatch.aws.connections import Connections


def test_a_client_over_its_limit_drives_out_its_own() -> None:
    known: Connections[str] = Connections(client_max=2, total_max=10)
    assert known.open("other", "b") == (None, True)
    assert known.open("first", "a") == (None, True)
    assert known.open("second", "a") == (None, True)
    assert known.open("third", "a") == ("first", True)
    assert (len(known), known.gave_way, known.refused) == (3, 1, 0)


def test_a_full_port_lets_the_oldest_of_any_client_go() -> None:
    known: Connections[str] = Connections(client_max=9, total_max=2)
    known.open("first", "a")
    known.open("second", "b")
    assert known.open("third", "c") == ("first", True)


def test_whoever_has_a_request_under_way_stays() -> None:
    known: Connections[str] = Connections(client_max=2, total_max=10)
    for name in ("first", "second"):
        known.open(name, "a")
        known.waits(name, False)
    assert known.open("third", "a") == (None, False)
    assert (known.gave_way, known.refused) == (0, 1)
    known.waits("first", True)  # answered, and kept open for a next request
    assert known.open("fourth", "a") == ("third", True)
    assert known.open("fifth", "a") == ("first", True)


def test_what_is_closed_makes_room() -> None:
    known: Connections[str] = Connections(client_max=1, total_max=1)
    known.open("first", "a")
    known.close("first")
    known.close("first")
    known.waits("first", True)
    assert known.open("second", "a") == (None, True)
    assert len(known) == 1


@given(st.lists(st.tuples(st.sampled_from(["open", "close", "busy", "idle"]), st.integers(0, 30), st.sampled_from("abc"))))
def test_limits_hold_but_for_those_who_are_told_to_come_again(events: list[tuple[str, int, str]]) -> None:
    known: Connections[int] = Connections(client_max=3, total_max=6)
    there: dict[int, str] = {}
    told: set[int] = set()
    for event, number, client in events:
        if event == "open" and number not in there:
            victim, has_room = known.open(number, client)
            there[number] = client
            if victim is not None:
                there.pop(victim)
                told.discard(victim)
            if not has_room:
                told.add(number)
        elif event == "close":
            known.close(number)
            there.pop(number, None)
            told.discard(number)
        elif event in ("busy", "idle"):
            known.waits(number, event == "idle")
        assert len(known) == len(there)
        assert len(there) - len(told) <= 6
        for one in "abc":
            assert sum(owner == one for number, owner in there.items() if number not in told) <= 3
