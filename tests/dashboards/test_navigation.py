from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from dashboards import navigation
from dashboards.console import Console
from dashboards.page_state import PageState
from dashboards.time_range import Absolute, BadTimeRange, Relative
from gatewatch.status_file import write_status
from tests.dashboards.small_lake import END_S, look_at


def changed(state: PageState, console: Console, **changes: object) -> PageState:
    return navigation.with_controls(
        state, {name.replace("__", "."): value for name, value in changes.items()}, console, "Asia/Tokyo")


def test_each_control_changes_its_part(console: Console) -> None:
    state = changed(PageState(page="flows"), console, range="1h", clock="local", refresh="2s", wish="dark",
                    value__port=" 443 ")
    assert state == PageState(page="flows", range=Relative(span_s=3600), clock="local", refresh="2s", theme="dark",
                              values={"port": "443"})


def test_a_control_that_shows_nothing_changes_nothing(console: Console) -> None:
    state = PageState(page="flows", range=Relative(span_s=2700))
    assert changed(state, console, range="", custom=None, zoom=None, wish=None, value__port=None) == state


def test_another_filter_begins_at_the_first_page(console: Console) -> None:
    state = PageState(page="flows", values={"flow_page": "7", "port": "443"})
    assert changed(state, console, value__port="80") == PageState(page="flows", values={"port": "80"})
    assert changed(state, console, value__flow_page=8).value("flow_page") == "8"


def test_a_wrong_value_is_named(console: Console) -> None:
    with pytest.raises(ValueError, match=r"Address or CIDR: '10\.0\.2' is neither an address nor a CIDR block"):
        changed(PageState(page="flows"), console, value__address="10.0.2")


def test_controls_of_another_page_are_ignored(console: Console) -> None:
    assert changed(PageState(page="sql"), console, value__port="80") == PageState(page="sql")


def test_a_drag_in_a_chart_is_a_range_in_the_readers_clock(console: Console) -> None:
    drag = {"from": "2026-11-23 19:05:00.5", "to": "2026-11-23 19:00:00", "at": 1}
    local = changed(PageState(clock="local"), console, zoom=drag)
    assert local.range == Absolute(start_s=1_795_428_000, end_s=1_795_428_300)


def test_a_drag_too_short_is_the_shortest_range(console: Console) -> None:
    drag = {"from": "2026-11-23 10:00:00", "to": "2026-11-23 10:00:01", "at": 1}
    assert changed(PageState(), console, zoom=drag).range == Absolute(start_s=1_795_428_000, end_s=1_795_428_010)


def test_a_chosen_range_needs_both_ends_in_order(console: Console) -> None:
    look = look_at(console, "/")
    assert navigation.chosen_absolute("2026-11-23 10:00:00", "2026-11-23 11:00:00", look) == Absolute(
        start_s=1_795_428_000, end_s=1_795_431_600)
    for start, end in ((None, "2026-11-23 11:00:00"), ("2026-11-23 11:00:00", "2026-11-23 10:00:00")):
        with pytest.raises(BadTimeRange):
            navigation.chosen_absolute(start, end, look)


def test_alarms_that_are_ok_are_no_verdict(console: Console) -> None:
    assert navigation.alarm_summary(look_at(console, "/flows?range=1h"), console) == []


def test_alarms_in_alarm_are_counted_and_lead_to_their_page(own_lake: tuple[Path, Console]) -> None:
    data, console = own_lake
    with sqlite3.connect(data / "alarms.sqlite") as alarms:
        assert alarms.execute("update alarms set state = 'ALARM'").rowcount == 1
    alarms.close()
    links = navigation.alarm_summary(look_at(console, "/flows?range=1h"), console)
    assert [link.children.children[1] for link in links] == ["1 in alarm"]
    assert links[0].href == "/alarms?range=1h&refresh=10s"


def test_the_verdict_comes_first_and_leads_to_the_overview(own_lake: tuple[Path, Console]) -> None:
    data, console = own_lake
    write_status(data, "forwarder", END_S - 1, {})
    links = navigation.alarm_summary(look_at(console, "/flows?range=1h"), console)
    assert [(link.children.children[1], link.href) for link in links] == [("All well", "/?range=1h&refresh=10s")]


def test_without_alarms_nothing_is_said(empty_console: Console) -> None:
    assert navigation.alarm_summary(look_at(empty_console, "/"), empty_console) == []
