from __future__ import annotations

from dashboards.figures.given_returned import TARGETS_MAX, Pair, given_returned, height_of
from dashboards.theme import LIGHT


def test_a_target_has_what_it_was_given_and_what_it_returned() -> None:
    made = given_returned([Pair(label="i-1", given=1_000, returned=750)], unit="Count", palette=LIGHT)
    bars = {trace.name: trace for trace in made.data}
    assert (bars["given"].x[0], bars["returned"].x[0]) == (1_000, 750)
    assert "not returned 250 (25 %)" in bars["given"].hovertext[0]


def test_a_target_that_was_given_nothing_has_no_share() -> None:
    made = given_returned([Pair(label="i-1", given=0, returned=0)], unit="Bytes", palette=LIGHT)
    assert made.data[0].hovertext[0].endswith("not returned 0 B")


def test_a_label_is_shown_as_it_is_and_not_as_markup() -> None:
    made = given_returned([Pair(label="<b>i", given=1, returned=1)], unit="Bytes", palette=LIGHT)
    assert made.data[0].y[0] == "&lt;b&gt;i"
    assert made.data[0].hovertext[0].startswith("<b>&lt;b&gt;i</b>")


def test_the_most_given_are_shown_in_the_order_of_their_labels() -> None:
    pairs = [Pair(label=f"i-{number:02}", given=number, returned=number) for number in range(30)]
    made = given_returned(pairs, unit="Count", palette=LIGHT)
    assert list(made.data[1].y) == [f"i-{number:02}" for number in range(29, 29 - TARGETS_MAX, -1)]  # from the bottom up
    assert len(made.data[0].y) == TARGETS_MAX
    assert height_of(pairs) == height_of(pairs[:TARGETS_MAX])


def test_without_targets_there_is_no_data() -> None:
    assert given_returned([], unit="Count", palette=LIGHT).layout.meta["picture"] == "no data"
