"""Hops that add up, and hops that do not."""

from __future__ import annotations

from queries.hop import Books, Difference, Hop


def hop(received: int, sent: int, dropped: int, held: int) -> Hop:
    return Hop(chain="c", name="n", unit="packets", received=received, sent=sent, dropped={"why": dropped}, held=held)


def test_a_hop_that_adds_up_is_no_difference() -> None:
    books = Books()
    books.add(hop(10, 6, 3, 1))
    assert (len(books.hops), books.differences) == (1, [])


def test_a_hop_that_does_not_is_one() -> None:
    books = Books()
    books.add(hop(10, 6, 3, 0))
    assert books.differences == [
        Difference(chain="c", what="n: sent, dropped and held packets against received", expected=10, found=9)
    ]
