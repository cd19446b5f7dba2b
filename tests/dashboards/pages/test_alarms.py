from __future__ import annotations

import dataclasses

from dashboards.answers import Good
from dashboards.console import Console
from dashboards.pages import alarms
from queries.alarms.state import StateValue, read_alarms
from tests.dashboards.small_lake import SICK_END_S, SICK_START_S, look_at


def test_the_default_alarm_with_its_condition_and_state(console: Console) -> None:
    card, _, about, note, rows, _, which = alarms.refresh(look_at(console, "/alarms?range=15m"), console)
    assert note is None
    text = str(card[0])
    assert "UnHealthyHostCount > 0" in text
    assert "alarm-card green shown" in text
    assert about == "UnHealthyHostCount · Maximum · 10 s"
    assert which == "of all alarms, newest first"
    assert [(row["type"], row["to"]) for row in rows] == [
        ("State update", "OK"), ("State update", "ALARM"), ("State update", "OK"), ("Configuration update", "")]


def test_the_graph_has_the_sick_time_above_a_red_threshold(console: Console) -> None:
    look = look_at(console, "/alarms?range=15m")
    figure = alarms.refresh(look, console)[1]
    line = figure.data[0]
    above = [str(time) for time, value in zip(line.x, line.y, strict=True) if value]
    assert len(above) == (SICK_END_S - SICK_START_S) // 10
    assert above[0] == "2026-11-23 01:03:20"
    assert figure.layout.shapes[0].line.color == look.palette.red


def test_history_of_one_alarm(console: Console) -> None:
    rows = alarms.refresh(look_at(console, "/alarms?alarm=no-such-alarm"), console)[4]
    assert rows == []


def test_the_alarm_shown_is_the_one_named_else_the_sick_one(console: Console) -> None:
    first, = read_alarms(console.settings.data_path)
    sick = dataclasses.replace(first, name="z-sick", state=StateValue.ALARM)
    assert alarms.chosen([first, sick], "") == sick
    assert alarms.chosen([first, sick], first.name) == first
    assert alarms.chosen([], "") is None


def test_without_alarms_the_page_says_who_makes_them(empty_console: Console) -> None:
    cards, figure, *_ = alarms.refresh(look_at(empty_console, "/alarms"), empty_console)
    assert "alarms service" in str(cards[0])
    assert "No alarm" in figure.layout.annotations[0].text


def test_an_alarm_in_alarm_is_red_in_words_too(console: Console) -> None:
    first, = read_alarms(console.settings.data_path)
    sick = dataclasses.replace(first, state=StateValue.ALARM)
    look = look_at(console, "/alarms")
    text = str(alarms.cards(Good([sick]), look)[0])
    assert "alarm-card red" in text
    assert "In alarm" in text
