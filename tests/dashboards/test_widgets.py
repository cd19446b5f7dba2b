from __future__ import annotations

import dash_mantine_components as dmc

from dashboards import widgets


def test_a_card_has_its_tools_even_if_they_have_no_children() -> None:
    pager = dmc.Pagination(total=1)
    made = widgets.card("Flows", tools=pager, identity="flows", about="all")
    head = made.children[0]
    assert head.children[1].children is pager
    assert made.id == "flows"
    assert head.children[0].children[1].id == "flows-about"
    assert widgets.card("Flows").children[0].children[1] is None


def test_a_tile_tells_its_number_to_those_who_cannot_see_it() -> None:
    made = widgets.tile("Processed", "2.5", unit="KB/s", tone="red")
    assert getattr(made, "aria-label") == "Processed: 2.5 KB/s"
    assert "red" in made.className


def test_a_state_is_said_in_words_beside_its_colour() -> None:
    made = widgets.badge("ALARM", "In alarm")
    assert made.children[1] == "In alarm"
    assert made.className == "badge red"


def test_only_a_failure_is_an_alert() -> None:
    assert widgets.note("x", "red").role == "alert"
    assert widgets.note("x", "amber").role == "status"


def test_a_menu_without_label_is_named_by_its_placeholder() -> None:
    assert getattr(widgets.select("s", "", [], placeholder="Saved queries"), "aria-label") == "Saved queries"
    assert widgets.select("s", "Target", [("i-1", "one")], "i-1").data == [{"value": "i-1", "label": "one"}]
