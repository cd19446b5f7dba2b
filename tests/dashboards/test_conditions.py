"""What is wrong now, in the header and across every page."""

from __future__ import annotations

from pathlib import Path

from dashboards import books, conditions
from dashboards.console import Console
from gatewatch.status_file import write_status
from tests.dashboards.small_lake import END_S, look_at

NO_TARGET = {
    "endpoints": [{"id": "vpce-1"}], "standing": [{
        "endpoint": "vpce-1", "zone": "us-east-1a", "target_group": "firewalls", "state": "no_target", "since_s": END_S - 60,
        "packets": 4_211,
    }],
    "nodes": [{"address": "10.1.1.20", "refused": {"return_malformed": 20_000}}],
}


def test_an_outage_is_red_in_the_header_and_said_with_what_to_do(own_lake: tuple[Path, Console]) -> None:
    data, console = own_lake
    write_status(data, "forwarder", END_S - 1, NO_TARGET)
    look = look_at(console, "/flows?range=1h")
    badge = conditions.badge(look, console)
    assert badge is not None
    assert badge.children[1] == "No packet passes"
    assert "red" in badge.className
    [note] = conditions.sentences(look, console)
    assert note.className == "note red"
    assert "target group firewalls has no target (since 2026-11-23 01:09:00, 4,211 packets refused)." in str(note)
    assert "Register targets" in str(note)


def test_all_well_is_only_said_when_somebody_told_so(own_lake: tuple[Path, Console], empty_console: Console) -> None:
    data, console = own_lake
    assert conditions.badge(look_at(empty_console, "/"), empty_console) is None
    write_status(data, "forwarder", END_S - 1, {})
    badge = conditions.badge(look_at(console, "/"), console)
    assert badge is not None
    assert badge.children[1] == "All well"


def test_no_service_is_never_green(own_lake: tuple[Path, Console]) -> None:
    data, console = own_lake
    for service in ("api", "forwarder", "health", "ingest", "alarms"):
        write_status(data, service, END_S - 60, {})
    badge = conditions.badge(look_at(console, "/"), console)
    assert badge is not None
    assert badge.children[1] == "Nothing runs"
    assert "green" not in badge.className


def test_several_are_counted(own_lake: tuple[Path, Console]) -> None:
    data, console = own_lake
    write_status(data, "forwarder", END_S - 1, NO_TARGET)
    write_status(data, "ingest", END_S - 60, {})
    badge = conditions.badge(look_at(console, "/"), console)
    assert badge is not None
    assert badge.children[1] == "No packet passes +1"


def test_counts_that_agree_are_not_green_while_packets_are_lost(own_lake: tuple[Path, Console]) -> None:
    data, console = own_lake
    write_status(data, "forwarder", END_S - 1, {**NO_TARGET, "packets": {}, "ended": False})
    content, badge = books.content(look_at(console, "/"), console)
    assert "10.1.1.20" in str(content)
    assert "return_malformed" in str(content)
    assert "20,000" in str(content)
    assert "green" not in getattr(badge, "className", "")
