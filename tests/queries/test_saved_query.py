"""Saved queries: their numbers on a small lake, their headers, and that they run elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from gatewatch.records.tables import TABLES
from gatewatch.settings import Settings
from queries.lake import Lake
from queries.saved_query import BadParameter, filled_in, load, names, parse, run
from queries.sql_runner import SqlRunner
from tests.queries.lake_builder import (
    HOUR_S,
    access,
    audit_event,
    balancer_flow,
    flow,
    health_change,
    publish,
)

CLIENT, SERVER, SCANNER = "203.0.113.10", "10.0.2.10", "203.0.113.66"
BACK = {
    "pkt_srcaddr": SERVER, "pkt_dstaddr": CLIENT, "srcport": 80, "dstport": 40_000, "tcp_flags": 19, "packets": 8,
    "bytes": 5_000,
}


def scan(port: int) -> dict[str, Any]:
    return flow(HOUR_S + 30, pkt_srcaddr=SCANNER, srcport=50_000, dstport=port, tcp_flags=2, packets=1, bytes=60)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    data = tmp_path_factory.mktemp("data")
    publish(data, "flow_logs", [
        # A connection that works, each packet seen on ingress and on egress; two packets are eaten on the way back.
        flow(HOUR_S), flow(HOUR_S, flow_direction="egress", gw_target_id="i-1"),
        flow(HOUR_S, **BACK), flow(HOUR_S, **BACK | {"flow_direction": "egress", "packets": 6, "bytes": 4_000}),
        # A port scan, none of it answered or returned.
        *(scan(port) for port in range(1, 13)),
        # What the gateway refused.
        flow(HOUR_S + 70, action="REJECT", gw_drop_reason="no_target", gw_target_id=None, tcp_flags=2, srcport=41_000),
        flow(HOUR_S + 70, action="REJECT", gw_drop_reason="oversize", gw_target_id=None, packets=1, bytes=8_501),
        # The balancer's side of the same packets.
        balancer_flow(HOUR_S, "i-1", packets=18, bytes=7_224),
        balancer_flow(HOUR_S, "i-1", packets=16, bytes=6_088, flow_direction="ingress"),
        balancer_flow(HOUR_S, "i-2", packets=2, bytes=256),
        flow(HOUR_S, log_status="NODATA", action=None, packets=None, bytes=None, flow_direction=None),
        flow(HOUR_S, log_status="SKIPDATA", action=None, packets=None, bytes=None, flow_direction=None),
        # Out of the time range.
        flow(HOUR_S + 3_600, bytes=1_000_000),
    ])
    publish(data, "appliance_access", [
        access(HOUR_S, "allow", "web"), access(HOUR_S, "deny", "scan", packets=12, bytes=720), access(HOUR_S, "deny", "scan"),
    ])
    publish(data, "audit_events", [
        audit_event(HOUR_S, "CreateListener"), audit_event(HOUR_S + 1, "DescribeListeners", read_only=True),
        audit_event(HOUR_S + 2, "DeleteListener", user_name="bob", error_code="ListenerNotFound"),
    ])
    publish(data, "target_health", [health_change(HOUR_S, "i-1", "healthy"), health_change(HOUR_S + 5, "i-1", "unhealthy")])
    publish(data, "alarm_events", [{
        "time": HOUR_S * 1000, "alarm_name": "a", "item_type": "StateUpdate", "from_state": "OK", "to_state": "ALARM",
        "summary": "Alarm updated from OK to ALARM", "reason": "because", "data": "{}",
    }])
    return Lake(data)


def rows(lake: Lake, name: str, **parameters: int | str) -> list[dict[str, Any]]:
    result = run(lake, name, start_s=HOUR_S, end_s=HOUR_S + 3_600, parameters=parameters)
    assert result.column_names == list(load(name).columns)
    answer: list[dict[str, Any]] = result.to_pylist()
    return answer


def columns(found: list[dict[str, Any]], *wanted: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in wanted) for row in found]


def test_top_talkers_counts_each_packet_once(lake: Lake) -> None:
    found = rows(lake, "top_talkers")
    assert columns(found, "source", "bytes", "packets", "rejected_packets") == [
        (CLIENT, 1_000 + 1_000 + 8_501, 21, 11), (SERVER, 5_000, 8, 0), (SCANNER, 720, 12, 0),
    ]
    assert len(rows(lake, "top_talkers", limit="1")) == 1


def test_top_pairs_counts_accepted_packets_once(lake: Lake) -> None:
    assert columns(rows(lake, "top_pairs_packet_level"), "source", "destination", "bytes", "flows") == [
        (SERVER, CLIENT, 5_000, 1), (CLIENT, SERVER, 1_000, 1), (SCANNER, SERVER, 720, 12),
    ]


def test_rejected_by_reason(lake: Lake) -> None:
    assert columns(rows(lake, "rejected_by_reason"), "reason", "packets", "bytes") == [
        ("no_target", 10, 1_000), ("oversize", 1, 8_501),
    ]


def test_bytes_per_target_never_adds_what_came_back_to_what_was_given(lake: Lake) -> None:
    assert columns(rows(lake, "bytes_per_target"), "target", "bytes_given", "bytes_returned", "packets_given") == [
        ("i-1", 6_720, 5_000, 30)
    ]


def test_what_came_back_and_was_not_delivered_is_neither_eaten_nor_counted_twice(tmp_path: Path) -> None:
    publish(tmp_path, "flow_logs", [
        flow(HOUR_S), flow(HOUR_S, flow_direction="egress", packets=7, bytes=700),
        flow(HOUR_S, flow_direction="egress", packets=3, bytes=300, action="REJECT", gw_drop_reason="deliver_failed",
             gw_target_id=None),
    ])
    small = Lake(tmp_path)
    assert rows(small, "eaten_by_appliance") == []
    assert columns(rows(small, "top_talkers"), "packets", "bytes") == [(10, 1_000)]
    (minute,) = rows(small, "bytes_over_time")
    assert (minute["packets_accepted"], minute["packets_returned"], minute["packets_rejected"]) == (10, 7, 3)


def test_eaten_by_appliance_is_ingress_minus_egress_per_flow(lake: Lake) -> None:
    found = rows(lake, "eaten_by_appliance")
    assert columns(found, "source", "destination_port", "packets_eaten", "bytes_eaten")[0] == (SERVER, 40_000, 2, 1_000)
    assert len(found) == 13
    assert all(row["source"] != CLIENT for row in found)
    assert len(rows(lake, "eaten_by_appliance", packets_min=2)) == 1


def test_port_scans_tell_attempts_from_answers(lake: Lake) -> None:
    assert columns(rows(lake, "port_scans"), "source", "ports", "hosts", "attempts", "answered") == [
        (SCANNER, 12, 1, 12, 0)
    ]
    assert len(rows(lake, "port_scans", attempts_min=1)) == 2


def test_bytes_over_time_by_minute(lake: Lake) -> None:
    found = rows(lake, "bytes_over_time")
    assert [row["time"].timestamp() - HOUR_S for row in found] == [0, 60]
    assert columns(found, "bytes_accepted", "bytes_returned", "bytes_rejected") == [(6_720, 5_000, 0), (0, 0, 9_501)]
    assert len(rows(lake, "bytes_over_time", unit="hour")) == 1


def test_protocol_mix_adds_up_to_a_hundred(lake: Lake) -> None:
    assert columns(rows(lake, "protocol_mix"), "name", "ip_version", "bytes", "bytes_percent") == [
        ("TCP", "IPv4", 6_720, 100.0)
    ]


def test_half_open_has_unanswered_connections_only(lake: Lake) -> None:
    found = rows(lake, "half_open")
    assert columns(found, "source", "connections", "rejected_packets")[0] == (CLIENT, 1, 10)
    assert sum(row["connections"] for row in found) == 13


def test_busiest_ports_joins_both_directions(lake: Lake) -> None:
    assert columns(rows(lake, "busiest_ports"), "port", "protocol", "bytes", "packets")[0] == (80, 6, 6_000, 18)


def test_target_balance_counts_geneve_packets(lake: Lake) -> None:
    assert columns(rows(lake, "target_balance"), "target", "packets_sent", "packets_received", "sent_percent") == [
        ("i-1", 18, 16, 90.0), ("i-2", 2, 0, 10.0),
    ]


def test_coverage_gaps(lake: Lake) -> None:
    assert columns(rows(lake, "coverage_gaps"), "status", "windows", "seconds") == [("SKIPDATA", 1, 9), ("NODATA", 1, 9)]


def test_denied_by_rule(lake: Lake) -> None:
    assert columns(rows(lake, "denied_by_rule"), "rule", "action", "packets", "bytes") == [("scan", "deny", 16, 1_120)]


def test_who_changed_what(lake: Lake) -> None:
    assert columns(rows(lake, "who_changed_what"), "event", "error") == [
        ("DeleteListener", "ListenerNotFound"), ("CreateListener", ""),
    ]
    assert columns(rows(lake, "who_changed_what", user_name="bob"), "event") == [("DeleteListener",)]


def test_health_timeline(lake: Lake) -> None:
    found = rows(lake, "health_timeline")
    assert columns(found, "to_state") == [("healthy",), ("unhealthy",)]
    assert found[0]["until"] == found[1]["time"]
    assert rows(lake, "health_timeline", target="i-9") == []


def test_alarm_history(lake: Lake) -> None:
    assert columns(rows(lake, "alarm_history"), "alarm", "to_state") == [("a", "ALARM")]


@pytest.mark.parametrize("name", names())
def test_a_header_tells_what_a_person_needs(name: str) -> None:
    query = load(name)
    assert query.title
    assert query.about
    assert len(query.rows) > 20
    assert set(query.tables) <= set(TABLES)
    assert all(query.columns.values())
    assert all(parameter.meaning for parameter in query.parameters)
    assert {each.name for each in query.parameters} == set(re.findall(r"\$(\w+)", query.sql))


@pytest.mark.parametrize("name", names())
def test_the_tables_named_are_the_tables_used(name: str) -> None:
    query = load(name)
    tree = sqlglot.parse_one(query.sql, read="duckdb")
    with_names = {each.alias for each in tree.find_all(exp.CTE)}
    assert {each.name for each in tree.find_all(exp.Table)} - with_names == set(query.tables)


@pytest.mark.parametrize("dialect", ["trino", "spark"])
@pytest.mark.parametrize("name", names())
def test_a_query_runs_on_other_engines(name: str, dialect: str) -> None:
    plain = filled_in(load(name), start_s=HOUR_S, end_s=HOUR_S + 60)
    assert "time_bucket" not in plain
    [translated] = sqlglot.transpile(plain, read="duckdb", write=dialect, unsupported_level=sqlglot.ErrorLevel.RAISE)
    tree = sqlglot.parse_one(translated, read=dialect)
    assert not list(tree.find_all(exp.Anonymous)), "a function that sqlglot does not know would not be translated"
    # Only the files' own columns: the view's additions are not in the files that another engine reads.
    assert not {each.name for each in tree.find_all(exp.Column)} & {"start_time", "end_time"}


def test_a_filled_in_query_runs_as_a_users_own(lake: Lake) -> None:
    with SqlRunner(Settings(data=str(lake.data))) as runner:
        for name in names():
            query = load(name)
            result = runner.run(filled_in(query, start_s=HOUR_S, end_s=HOUR_S + 3_600))
            assert len(result) == len(rows(lake, name)), name


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"limit": "many"}, "a whole number"),
        ({"limits": "1"}, "no parameter limits; it has limit"),
        ({"start_s": "0"}, "no parameter start_s"),
    ],
)
def test_a_bad_parameter_is_told_what_is_allowed(lake: Lake, given: dict[str, str], message: str) -> None:
    with pytest.raises(BadParameter, match=message):
        rows(lake, "top_talkers", **given)


def test_a_text_parameter_is_a_value_and_no_sql(lake: Lake) -> None:
    assert rows(lake, "who_changed_what", user_name="' OR true --") == []
    text = filled_in(load("who_changed_what"), start_s=0, end_s=1, parameters={"user_name": "o'hara"})
    assert "user_name = 'o''hara'" in text


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(KeyError, match="top_talkers"):
        load("nothing")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT 1", "lacks title"),
        ("-- title: a\n-- about: b\n-- rows: c\n-- tables: d\nSELECT 1", "start_s and end_s"),
        (
            "-- title: a\n-- about: b\n-- rows: c\n-- tables: d\n-- parameter start_s (date): x\nSELECT 1",
            "not a parameter",
        ),
    ],
)
def test_a_header_that_lacks_something_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse("mine", text)
