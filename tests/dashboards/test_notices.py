"""What is missing is said across the page, with the name of who could bring it."""

from __future__ import annotations

from pathlib import Path

import pytest
from dash.development.base_component import Component

from dashboards.console import Console
from dashboards.notices import notices
from gatewatch.status_file import write_status
from tests.dashboards.small_lake import END_S, console_of, look_at

SERVICES = ("api", "forwarder", "health", "ingest", "alarms")


def said(note: Component) -> tuple[str, str]:
    """A note's title and text."""
    title, text = note.children
    return title.children.strip(), text.children if isinstance(text.children, str) else text.children[0]


def test_late_data_is_said_once_for_what_the_page_shows(small_lake: Path) -> None:
    console = console_of(small_lake, lambda: float(END_S + 300))
    note, = notices(look_at(console, "/"), console)
    title, text = said(note)
    assert title == "Data is late."
    assert "newest flow record is from 2026-11-23 01:09:5" in text
    assert "newest metric is from 2026-11-23 01:09:50, 5 min 10 s ago" in text
    assert "flow record" not in str(notices(look_at(console, "/alarms"), console))
    assert notices(look_at(console, "/audit"), console) == []
    console.close()


def test_when_all_is_well_nothing_is_said(console: Console) -> None:
    assert notices(look_at(console, "/"), console) == []


@pytest.mark.parametrize("page", ["/", "/targets", "/flows", "/sql", "/audit", "/alarms"])
def test_an_empty_lake_says_how_to_fill_it(empty_console: Console, page: str) -> None:
    note, = notices(look_at(empty_console, page), empty_console)
    title, text = said(note)
    assert title == "The lake is empty."
    assert "`gatewatch demo`" in text
    assert str(empty_console.settings.data) in text


def test_a_silent_service_is_named_with_what_it_does(own_lake: tuple[Path, Console]) -> None:
    data, console = own_lake
    for service in SERVICES:
        write_status(data, service, END_S - (66 if service == "ingest" else 1), {})
    write_status(data, "appliance-1", END_S - 600, {})  # a target: its state is in the pages
    note, = notices(look_at(console, "/flows"), console)
    assert said(note) == ("Nothing new gets into the lake:", "ingest is silent (since 2026-11-23 01:08:54).")
    assert "logs/ingest.log" in str(note)


def test_when_no_service_runs_it_says_until_when_it_did(own_lake: tuple[Path, Console]) -> None:
    data, console = own_lake
    for service in SERVICES:
        write_status(data, service, END_S - 60, {})
    note, = notices(look_at(console, "/audit"), console)
    assert said(note) == ("Nothing runs:", "no service runs (since 2026-11-23 01:09:00).")
    assert len(notices(look_at(console, "/flows"), console)) == 1  # and not a second time, as late data
    assert notices(look_at(console, "/audit?range=2026-11-23T01:00:00Z/2026-11-23T01:05:00Z"), console) == []


def test_a_range_after_the_newest_row_says_so(console: Console) -> None:
    note, = notices(look_at(console, "/?range=2026-11-23T05:00:00Z/2026-11-23T06:00:00Z"), console)
    title, text = said(note)
    assert title == "Nothing in this range."
    assert text.startswith("The newest data is from 2026-11-23 01:09:5")
    assert notices(look_at(console, "/?range=2026-11-23T01:00:00Z/2026-11-23T01:05:00Z"), console) == []


def test_a_lake_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "manifest.sqlite").write_bytes(b"this is not a database, whatever its name says" * 100)
    console = console_of(tmp_path)
    note, = notices(look_at(console, "/"), console)
    assert note.className == "note red"
    console.close()
