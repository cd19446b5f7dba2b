"""Maglev: every slot is owned, shares are even, a leaving target disturbs little, and an oracle agrees slot by slot."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forwarder.engine.target_table import build_table, is_prime

SLOTS = 251
name_sets = st.lists(st.text("abcdefgh", min_size=1, max_size=6), min_size=1, max_size=12, unique=True)


def oracle(names: list[str], slots: int) -> list[int]:
    """The paper's pseudo-code as it is printed: whole permutations, `next` per target, `entry` per slot."""
    order = sorted(range(len(names)), key=lambda position: names[position])
    permutations = []
    for position in order:
        digest = blake2b(names[position].encode(), digest_size=16).digest()
        offset = int.from_bytes(digest[:8], "big") % slots
        skip = int.from_bytes(digest[8:], "big") % (slots - 1) + 1
        permutations.append([(offset + place * skip) % slots for place in range(slots)])
    following, entry, filled = [0] * len(names), [-1] * slots, 0
    while True:
        for number, position in enumerate(order):
            candidate = permutations[number][following[number]]
            while entry[candidate] >= 0:
                following[number] += 1
                candidate = permutations[number][following[number]]
            entry[candidate] = position
            following[number] += 1
            filled += 1
            if filled == slots:
                return entry


@given(name_sets)
def test_it_is_the_papers_table(names: list[str]) -> None:
    assert list(build_table(names, SLOTS)) == oracle(names, SLOTS)


@given(name_sets)
def test_shares_differ_by_at_most_one_slot(names: list[str]) -> None:
    shares = Counter(build_table(names, SLOTS))
    assert set(shares) == set(range(len(names)))
    assert max(shares.values()) - min(shares.values()) <= 1


@given(name_sets)
def test_the_order_of_names_does_not_matter(names: list[str]) -> None:
    shuffled = sorted(names, reverse=True)
    owners = [names[position] for position in build_table(names, SLOTS)]
    assert [shuffled[position] for position in build_table(shuffled, SLOTS)] == owners


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 20), st.data())
def test_a_leaving_target_disturbs_few_of_the_others(count: int, data: st.DataObject) -> None:
    slots = 4093
    names = [f"10.1.0.{number}" for number in range(count)]
    leaving = data.draw(st.integers(0, count - 1))
    staying = [name for name in names if name != names[leaving]]
    before = [names[position] for position in build_table(names, slots)]
    after = [staying[position] for position in build_table(staying, slots)]
    moved = sum(1 for old, new in zip(before, after, strict=True) if old != names[leaving] and old != new)
    # The paper's figure 12: with a table a hundred times the number of targets, a few per cent move beside the share
    # that has to.
    assert moved <= 0.1 * slots


def test_no_names_give_an_empty_table() -> None:
    assert len(build_table([], SLOTS)) == 0


def test_more_names_than_slots_fill_the_table() -> None:
    assert sorted(build_table([str(number) for number in range(9)], 7)) == sorted(oracle(list("012345678"), 7))


def test_the_number_of_slots_must_be_a_prime() -> None:
    with pytest.raises(ValueError, match="maglev_slots is 100; a Maglev table needs a prime"):
        build_table(["a"], 100)
    assert [number for number in range(20) if is_prime(number)] == [2, 3, 5, 7, 11, 13, 17, 19]
    assert is_prime(16_381)
    assert is_prime(65_537)
