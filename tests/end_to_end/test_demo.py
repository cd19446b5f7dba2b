"""`gatewatch demo` for a minute on the embedded bus: the books, freshness, fail-over, the alarm, and the packets on the wire."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gatewatch.records.tables import TABLES
from queries.lake import Lake
from tests.end_to_end.demo_run import LAB_NAME, DemoRun, run_demo, unhealthy_hosts_alarm

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.tshark, pytest.mark.timeout(900)]

CAPTURE_WINDOW_S = 10
PROBE_INTERVAL_S, UNHEALTHY_THRESHOLD = 5, 2


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    return run_demo(tmp_path_factory.mktemp("demo"), duration_s=60, capture=True)


def test_the_books_balance(demo: DemoRun) -> None:
    packets = demo.report["packets"]
    assert demo.status == 0, demo.output
    assert demo.report["balanced"] is True
    assert demo.report["differences"] == []
    assert packets["offered"] > 5_000
    assert packets["offered"] == packets["delivered"] + sum(packets["dropped"].values())


def test_what_the_rules_deny_is_not_returned(demo: DemoRun) -> None:
    assert demo.report["packets"]["dropped"]["not_returned"] > 0


def test_every_record_is_in_the_lake_exactly_once(demo: DemoRun) -> None:
    for kind in ("flow_records", "audit_events"):
        assert demo.report[kind]["emitted"] == demo.report[kind]["in_lake"] > 0


def test_flow_records_add_up_to_the_packets(demo: DemoRun) -> None:
    lake = Lake(demo.data)
    rows = lake.fetch(
        "select flow_direction, action, sum(packets) as packets from flow_logs where gw_endpoint_id is not null "
        "and log_status = 'OK' group by all",
        tables=("flow_logs",),
    ).to_pylist()
    packets = {(row["flow_direction"], row["action"]): row["packets"] for row in rows}
    books = demo.report["packets"]
    unrecorded = {"malformed", "receive_queue_full"}
    refused = sum(
        count
        for reason, count in books["dropped"].items()
        if reason not in {*unrecorded, "not_returned", "deliver_failed"}
    )
    recorded = books["offered"] - sum(books["dropped"].get(reason, 0) for reason in unrecorded)
    assert packets[("ingress", "ACCEPT")] + packets.get(("ingress", "REJECT"), 0) == recorded
    assert packets.get(("ingress", "REJECT"), 0) == refused
    assert packets[("egress", "ACCEPT")] == books["delivered"]


def test_no_row_was_refused(demo: DemoRun) -> None:
    assert Lake(demo.data).fetch("select count(*) as n from rejects", tables=("rejects",)).to_pylist() == [{"n": 0}]


def test_records_are_fresh(demo: DemoRun) -> None:
    assert demo.report["freshness_s"]["p99"] < CAPTURE_WINDOW_S + 2


def test_new_connections_work_again_in_time(demo: DemoRun) -> None:
    assert 0 <= demo.report["failover_s"] <= PROBE_INTERVAL_S * UNHEALTHY_THRESHOLD + 2


def test_the_alarm_goes_ok_alarm_ok(demo: DemoRun) -> None:
    assert unhealthy_hosts_alarm(demo) == ["OK", "ALARM", "OK"]


def test_no_condition_is_left_in_alarm(demo: DemoRun) -> None:
    last = {transition["alarm"]: transition["to"] for transition in demo.report["alarm_transitions"]}
    assert len(last) > 10
    assert set(last.values()) == {"OK"}


def test_the_dead_target_is_in_the_health_history(demo: DemoRun) -> None:
    rows = (
        Lake(demo.data)
        .fetch("select target_id, state, reason from target_health order by time", tables=("target_health",))
        .to_pylist()
    )
    ill = [row for row in rows if row["state"] == "unhealthy"]
    assert [row["reason"] for row in ill] == ["Target.FailedHealthChecks"]
    assert [row["state"] for row in rows if row["target_id"] == ill[0]["target_id"]][-1] == "healthy"


def test_every_table_was_fed(demo: DemoRun) -> None:
    lake = Lake(demo.data)
    for table in TABLES.values():
        if table.topic is not None:
            assert (
                lake.fetch(f"select count(*) as n from {table.name}", tables=(table.name,)).to_pylist()[0]["n"] > 0
            ), table.name


def test_status_says_that_it_balances(demo: DemoRun) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "gatewatch", "status", "--data", str(demo.data)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "The books balance." in result.stdout


def test_nothing_of_the_lab_is_left(demo: DemoRun) -> None:
    names = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in names if name.startswith(f"{LAB_NAME}-")]


@pytest.fixture(scope="module")
def dissected(demo: DemoRun) -> list[dict[str, Any]]:
    """The capture as tshark reads it, checksums verified."""
    fields = [
        "geneve.version",
        "geneve.vni",
        "geneve.proto_type",
        "geneve.option.class",
        "geneve.option.type",
        "geneve.option.length",
        "udp.dstport",
        "udp.length",
        "ip.len",
        "ip.checksum.status",
        "ip.src",
        "ip.dst",
        "frame.len",
        "tcp.checksum.status",
        "_ws.malformed",
    ]
    assert demo.capture is not None
    command = [
        "tshark",
        "-r",
        str(demo.capture),
        "-T",
        "fields",
        "-E",
        "separator=|",
        "-o",
        "ip.check_checksum:TRUE",
        "-o",
        "tcp.check_checksum:TRUE",
        # Each inner packet is seen twice, to the target and back: streams cannot be put together from that.
        "-o",
        "tcp.desegment_tcp_streams:FALSE",
        "-o",
        "tcp.analyze_sequence_numbers:FALSE",
        *(part for field in fields for part in ("-e", field)),
    ]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [dict(zip(fields, line.split("|"), strict=True)) for line in lines]


def test_tshark_reads_the_provider_network_as_geneve_with_amazons_options(dissected: list[dict[str, Any]]) -> None:
    assert len(dissected) >= 100
    for packet in dissected:
        assert packet["geneve.version"] == "0"
        assert int(packet["geneve.vni"], 16) == 0
        assert packet["geneve.proto_type"] == "0x0800"
        assert set(packet["geneve.option.class"].split(",")) == {"0x0108"}
        assert [int(kind, 16) for kind in packet["geneve.option.type"].split(",")] == [1, 2, 3]
        assert packet["geneve.option.length"] == "32,12,12,8"
        assert packet["_ws.malformed"] == ""


def test_lengths_and_checksums_are_right_outside_and_inside(dissected: list[dict[str, Any]]) -> None:
    good = "1"
    for packet in dissected:
        outer, inner = (int(length) for length in packet["ip.len"].split(",")[:2])
        assert outer == inner + 68
        assert int(packet["udp.length"].split(",")[0]) == inner + 48
        assert int(packet["frame.len"]) == outer + 14
        assert set(packet["ip.checksum.status"].split(",")) == {good}
        assert packet["tcp.checksum.status"] in ("", good)


def test_packets_went_out_and_came_back(dissected: list[dict[str, Any]]) -> None:
    directions = Counter(packet["ip.src"].split(",")[0] for packet in dissected)
    assert len(directions) >= 2, Path(str(directions))
