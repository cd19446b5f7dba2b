from __future__ import annotations

from dash.development.base_component import Component

from dashboards import books
from dashboards.console import Console
from queries.books import Chain, Difference, Hop
from tests.dashboards.small_lake import look_at

HOP = Hop(chain="packets", name="engine", unit="packets", received=1_000, sent=990, dropped={"not_returned": 10, "x": 0},
          held=0)


def test_a_hop_is_a_row_with_its_drops_by_reason() -> None:
    text = str(books.table("packets", [HOP]))
    assert "1,000" in text
    assert "not_returned 10" in text
    assert "x 0" not in text


def test_only_a_chain_without_differences_adds_up() -> None:
    good = books.verdict(Chain(hops=[HOP], differences=[], notes=[]))
    assert isinstance(good, Component)
    assert good.className == "badge green"
    wrong = Chain(hops=[HOP], differences=[Difference(chain="records", what="rows", expected=5, found=4)], notes=[])
    verdict = books.verdict(wrong)
    assert isinstance(verdict, Component)
    assert verdict.className == "badge red"
    note, = books.differences(wrong)
    assert "rows: expected 5, found 4." in str(note)


def test_without_counters_nothing_is_claimed(empty_console: Console) -> None:
    assert books.verdict(Chain(hops=[], differences=[], notes=[])) == "No service has written its counters yet."
    _, line = books.content(look_at(empty_console, "/"), empty_console)
    assert line == "No service has written its counters yet."
