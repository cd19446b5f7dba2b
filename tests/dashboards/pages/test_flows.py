from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dashboards.console import Console
from dashboards.pages import flows
from tests.dashboards.small_lake import (
    ATE_PACKETS,
    BYTES_A_FLOW,
    FLOWS_A_PERIOD,
    PACKETS_A_FLOW,
    REJECTED_PACKETS,
    START_S,
    TARGETS,
    console_of,
    fill,
    look_at,
)
from tests.queries.lake_builder import flow, publish

WINDOWS = 60
RECORDS = WINDOWS * FLOWS_A_PERIOD * 2 + 2


def refreshed(console: Console, query: str = "") -> dict[str, Any]:
    names = ("reasons", "targets", "tiles", "note", "rows", "style", "extent", "pages")
    made = flows.refresh(look_at(console, f"/flows?range=15m{query}"), console)
    return dict(zip(names, made, strict=True))


def tiles(made: dict[str, Any]) -> dict[str, str]:
    return dict(getattr(tile, "aria-label").split(": ") for tile in made["tiles"])


def test_totals_count_every_record_that_matches_and_say_what_is_twice(console: Console) -> None:
    made = refreshed(console)
    packets = WINDOWS * FLOWS_A_PERIOD * PACKETS_A_FLOW * 2 + ATE_PACKETS + REJECTED_PACKETS
    assert tiles(made) == {"Records": str(RECORDS), "Packets in them": f"{packets:,}", "Data in them": "2.16 MB",
                           "Rejected packets": str(REJECTED_PACKETS)}
    assert made["tiles"][1].children[3].children == "handed over and came back are two records"


def test_one_direction_counts_each_packet_once(console: Console) -> None:
    made = refreshed(console, "&direction=egress")
    assert tiles(made)["Packets in them"] == f"{WINDOWS * FLOWS_A_PERIOD * PACKETS_A_FLOW:,}"
    assert made["tiles"][1].children[3].children == ""


@pytest.mark.parametrize(("query", "records"), [
    ("&port=81", 1), ("&action=REJECT", 1), ("&reason=no_healthy_target", 1), ("&target=i-0b22", WINDOWS * 2),
    ("&address=203.0.113.0/24", RECORDS), ("&address=192.0.2.1", 0), ("&protocol=udp", 0), ("&side=balancer", 0),
])
def test_filters(console: Console, query: str, records: int) -> None:
    made = refreshed(console, query)
    assert tiles(made)["Records"] == str(records)
    assert len(made["rows"]) == min(records, flows.ROWS_A_PAGE)


def test_pages_of_the_list(console: Console) -> None:
    first, second = refreshed(console), refreshed(console, "&flow_page=2")
    assert (first["extent"], second["extent"]) == ("newest first, 1–200 of 362", "newest first, 201–362 of 362")
    assert first["pages"] == 2
    assert not {row["id"] for row in first["rows"]} & {row["id"] for row in second["rows"]}
    assert refreshed(console, "&flow_page=9")["extent"] == "no more records on this page"


def test_a_row_reads_as_a_person_speaks_of_a_flow(console: Console) -> None:
    row, = refreshed(console, "&action=REJECT")["rows"]
    assert (row["source"], row["destination"], row["protocol"], row["flags"]) == (
        "203.0.113.10:50002", "10.0.2.10:81", "TCP", "FIN SYN")
    assert (row["action"], row["action_tone"], row["reason"], row["bytes"], row["bytes_text"]) == (
        "REJECT", "red", "no_healthy_target", 300, "300 B")


def test_menus_hold_what_was_seen_and_what_is_chosen(console: Console) -> None:
    made = refreshed(console, "&reason=not_returned")
    assert made["reasons"] == ["no_healthy_target", "not_returned"]
    assert made["targets"] == [{"value": each, "label": each} for each in TARGETS]


def test_charts_over_all_flows_of_the_range(console: Console) -> None:
    look = look_at(console, "/flows?range=15m")
    talkers = flows.talkers_figure(look, console).data[0]
    assert list(talkers.x) == [WINDOWS * FLOWS_A_PERIOD * BYTES_A_FLOW + 420]
    eaten = flows.eaten_figure(look, console)
    assert list(eaten.data[0].x) == [ATE_PACKETS]
    assert eaten.layout.yaxis.ticktext[0].strip() == "203.0.113.10 → 10.0.2.10:22"
    assert list(flows.reasons_figure(look, console).data[0].x) == [REJECTED_PACKETS]


def test_targets_are_shown_by_name(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "inventory.toml").write_text(f'[[instances]]\nid = "{TARGETS[1]}"\nname = "appliance-2"\n')
    console = console_of(tmp_path)
    made = refreshed(console)
    assert {"value": TARGETS[1], "label": f"appliance-2 · {TARGETS[1]}"} in made["targets"]
    assert ("appliance-2", TARGETS[1]) in {(row["target_text"], row["target"]) for row in made["rows"]}
    console.close()


def test_without_flows_the_charts_praise_nobody(empty_console: Console) -> None:
    look = look_at(empty_console, "/flows")
    for figure in (flows.talkers_figure, flows.eaten_figure, flows.reasons_figure):
        assert "No flow record in this range" in figure(look, empty_console).layout.annotations[0].text


def test_flows_without_loss_are_good_news(tmp_path: Path) -> None:
    publish(tmp_path, "flow_logs", [flow(START_S), flow(START_S, flow_direction="egress")])
    console = console_of(tmp_path)
    look = look_at(console, "/flows?range=15m")
    assert "No packet was missing" in flows.eaten_figure(look, console).layout.annotations[0].text
    assert "refused nothing" in flows.reasons_figure(look, console).layout.annotations[0].text
    console.close()


def test_a_scan_of_ports_is_one_bar() -> None:
    rows = [{"source": "a", "source_port": 1, "destination": "b", "destination_port": port, "packets_given": 2,
             "packets_eaten": 1} for port in range(5)]
    bar, = flows.eaten_bars(rows)
    assert (bar.label, bar.value) == ("a → b, 5 ports", 5)
    assert bar.detail == "5 of 10 packets did not come back, 5 flows"


@pytest.mark.parametrize(("address", "port", "text"), [
    ("10.0.2.10", 443, "10.0.2.10:443"), ("2001:db8::1", 443, "[2001:db8::1]:443"), ("10.0.2.10", 0, "10.0.2.10"),
    ("10.0.2.10", None, "10.0.2.10"), (None, None, "–"),
])
def test_ends(address: str | None, port: int | None, text: str) -> None:
    assert flows.ending(address, port) == text


def test_protocols_and_flags() -> None:
    assert [flows.protocol_name(number) for number in (1, 6, 17, 47, None)] == ["ICMP", "TCP", "UDP", "47", "–"]
    assert [flows.tcp_flags(flags) for flags in (18, 3, 4, 0, None)] == ["SYN ACK", "FIN SYN", "RST", "", ""]
