"""JSON lines to rows: each topic's flattening, and lines that are set aside."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.records import tables, topics
from gatewatch.records.alarm_event import AlarmEvent
from gatewatch.records.appliance_access import ApplianceAccess
from gatewatch.records.metric import Metric, StatisticSet
from gatewatch.records.target_health import TargetHealthChange
from ingest import json_decode
from ingest.flow_log_decode import BadLine

TIME_MS = 1_795_395_600_123
TIME = datetime(2026, 11, 23, 1, 0, 0, 123_000, tzinfo=UTC)
METRIC = Metric(
    account_id="123456789012", region="us-east-1", namespace="AWS/GatewayELB", metric_name="HealthyHostCount",
    dimensions={"TargetGroup": "targetgroup/t/1", "LoadBalancer": "gwy/l/2"}, timestamp=TIME_MS,
    value=StatisticSet(count=2, sum=5, min=2, max=3), unit="Count",
)
ACCESS = ApplianceAccess(
    start=TIME_MS, end=TIME_MS + 1, appliance_id="i-1", srcaddr="10.0.0.1", dstaddr="::1", srcport=1, dstport=2,
    protocol=6, action="allow", rule="web", packets=3, bytes=4, gw_endpoint_id="vpce-1", flow_cookie=0xFFFF_FFFF,
)
HEALTH = TargetHealthChange(
    time=TIME_MS, load_balancer="gwy/l/2", target_group="targetgroup/t/1", target_id="i-1", target_address="10.1.0.5",
    availability_zone="us-east-1a", previous_state="healthy", state="unhealthy", reason="Target.Timeout",
)
ALARM = AlarmEvent(
    time=TIME_MS, alarm_name="a", item_type="StateUpdate", from_state="OK", to_state="ALARM", summary="s", reason="r", data="{}",
)
EVENT: dict[str, Any] = {
    "eventVersion": "1.10", "eventTime": "2026-11-23T01:00:00.123Z", "eventID": "e-1", "eventName": "CreateListener",
    "eventSource": "elasticloadbalancing.amazonaws.com", "awsRegion": "us-east-1", "sourceIPAddress": "127.0.0.1",
    "userAgent": "aws-cli", "userIdentity": {"type": "IAMUser", "userName": "bob", "accessKeyId": "AKIA"},
    "requestParameters": {"port": 6081}, "responseElements": None, "requestID": "r-1", "readOnly": False,
}


def decode(topic: str, bodies: list[bytes]) -> tuple[Any, list[BadLine]]:
    """Decode messages 7, 8, ... of a stream."""
    return json_decode.decode(topic, bodies, range(7, 7 + len(bodies)))


def rows(topic: str, *lines: bytes) -> list[dict[str, Any]]:
    table, bad = decode(topic, [b"\n".join(lines)])
    assert bad == []
    return table.to_pylist()


def reasons(topic: str, *lines: bytes) -> list[str]:
    return [entry.reason for entry in decode(topic, [b"\n".join(lines)])[1]]


def test_a_metric_is_flattened() -> None:
    assert rows(topics.METRICS, msgspec.json.encode(METRIC)) == [{
        "timestamp": TIME, "namespace": "AWS/GatewayELB", "metric_name": "HealthyHostCount", "unit": "Count",
        "load_balancer": "gwy/l/2", "target_group": "targetgroup/t/1", "availability_zone": None,
        "dimensions": '{"LoadBalancer":"gwy/l/2","TargetGroup":"targetgroup/t/1"}',
        "sample_count": 2.0, "sum": 5.0, "minimum": 2.0, "maximum": 3.0, "account_id": "123456789012",
        "region": "us-east-1",
    }]


def test_an_audit_event_keeps_its_text_and_gives_columns() -> None:
    line = json.dumps(EVENT).encode()
    row = rows(topics.AUDIT, line)[0]
    assert row == {
        "event_time": TIME, "event_id": "e-1", "event_source": "elasticloadbalancing.amazonaws.com",
        "event_name": "CreateListener", "read_only": False, "user_name": "bob", "access_key_id": "AKIA",
        "source_ip_address": "127.0.0.1", "user_agent": "aws-cli", "error_code": None, "error_message": None,
        "request_id": "r-1", "aws_region": "us-east-1", "request_parameters": '{"port": 6081}',
        "response_elements": None, "record": line.decode(), "sequence": 7 << 20 | 1,
    }


@pytest.mark.parametrize(("identity", "name"), [
    ({"type": "Root"}, None), (None, None),
    ({"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"userName": "admin"}}}, "admin"),
])
def test_whose_an_audit_event_is(identity: Any, name: str | None) -> None:
    assert rows(topics.AUDIT, json.dumps({**EVENT, "userIdentity": identity}).encode())[0]["user_name"] == name


@pytest.mark.parametrize(("topic", "record"), [
    (topics.TARGET_HEALTH, HEALTH),
    (topics.APPLIANCE_ACCESS, ACCESS),
    (topics.ALARMS, ALARM),
])
def test_the_others_are_as_they_are(topic: str, record: msgspec.Struct) -> None:
    row = rows(topic, msgspec.json.encode(record))[0]
    expected = msgspec.structs.asdict(record)
    for name in ("time", "start"):
        if name in expected:
            assert row.pop(name) == TIME
            del expected[name]
    assert row.pop("sequence", 7 << 20 | 1) == 7 << 20 | 1
    assert row.pop("end", None) == (None if expected.pop("end", None) is None else TIME.replace(microsecond=124_000))
    assert row == expected


def test_a_bad_line_does_not_take_the_others_with_it() -> None:
    good = msgspec.json.encode(METRIC)
    lines = [good, b"{", b"[]", b"", good.replace(b'"Count"', b'"Co\xffunt"'), b"[" * 5_000, good]
    table, bad = decode(topics.METRICS, [b"\n".join(lines), good])
    assert table.num_rows == 3
    assert [(entry.message, entry.line) for entry in bad] == [(0, 2), (0, 3), (0, 5), (0, 6)]
    assert all(entry.reason and entry.record == lines[entry.line - 1] for entry in bad)


def test_events_of_one_time_have_the_order_they_came_in() -> None:
    lines = [json.dumps({**EVENT, "eventID": str(number)}).encode() for number in range(6)]
    table, _ = json_decode.decode(topics.AUDIT, [b"\n".join(lines[:2]), b"broken\n" + lines[2], b"\n".join(lines[3:])], [5, 6, 900])
    sequences = table.column("sequence").to_pylist()
    assert sequences == sorted(set(sequences))
    assert table.column("event_id").to_pylist() == list("012345")


def test_a_strangers_seq_may_be_any_number() -> None:
    line = json.dumps(EVENT).encode()
    for seq in (0, (1 << 63) - 1):
        table, bad = json_decode.decode(topics.AUDIT, [line], [seq])
        assert (bad, table.num_rows) == ([], 1)


def test_values_that_fit_no_column_are_set_aside() -> None:
    many = msgspec.json.encode(msgspec.structs.replace(ACCESS, packets=1 << 63))
    table, bad = decode(topics.APPLIANCE_ACCESS, [msgspec.json.encode(ACCESS) + b"\n" + many])
    assert table.num_rows == 1
    assert [(entry.line, entry.reason) for entry in bad] == [(2, "a value does not fit its column")]


@pytest.mark.parametrize("time_ms", [-1, 4_102_444_800_000])
def test_times_of_other_centuries_are_set_aside(time_ms: int) -> None:
    line = msgspec.json.encode(msgspec.structs.replace(METRIC, timestamp=time_ms))
    assert "at `$.timestamp`" in reasons(topics.METRICS, line)[0]
    year = datetime.fromtimestamp(time_ms / 1000, UTC).isoformat()
    assert "between the years 1970 and 2100" in reasons(topics.AUDIT, json.dumps({**EVENT, "eventTime": year}).encode())[0]
    assert reasons(topics.AUDIT, json.dumps({**EVENT, "eventTime": "2026-11-23T01:00:00"}).encode()) == [
        "eventTime has no time zone"
    ]


@pytest.mark.parametrize(("topic", "good", "change", "reason"), [
    (topics.APPLIANCE_ACCESS, ACCESS, {"srcport": 70_000}, "$.srcport"),
    (topics.APPLIANCE_ACCESS, ACCESS, {"dstport": -1}, "$.dstport"),
    (topics.APPLIANCE_ACCESS, ACCESS, {"protocol": 256}, "$.protocol"),
    (topics.APPLIANCE_ACCESS, ACCESS, {"packets": -1}, "$.packets"),
    (topics.APPLIANCE_ACCESS, ACCESS, {"bytes": -40}, "$.bytes"),
    (topics.APPLIANCE_ACCESS, ACCESS, {"action": "ALLOW"}, "$.action"),
    (topics.APPLIANCE_ACCESS, ACCESS, {"flow_cookie": 1 << 32}, "$.flow_cookie"),
    (topics.APPLIANCE_ACCESS, ACCESS, {"srcaddr": "999.1.1.1"}, "srcaddr is not an IPv4 or IPv6 address"),
    (topics.APPLIANCE_ACCESS, ACCESS, {"dstaddr": "fe80::1%eth0"}, "dstaddr is not an IPv4 or IPv6 address"),
    (topics.APPLIANCE_ACCESS, ACCESS, {"end": TIME_MS - 1}, "end is before start"),
    (topics.APPLIANCE_ACCESS, ACCESS, {"appliance_id": ""}, "$.appliance_id"),
    (topics.METRICS, METRIC, {"unit": "count"}, "$.unit"),
    (topics.METRICS, METRIC, {"metric_name": ""}, "$.metric_name"),
    (topics.METRICS, METRIC, {"dimensions": {str(number): "x" for number in range(31)}}, "$.dimensions"),
    (topics.METRICS, METRIC, {"value": {"count": -1, "sum": 0, "min": 0, "max": 0}}, "count is below 0"),
    (topics.METRICS, METRIC, {"value": {"count": 2, "sum": 5, "min": 3, "max": 2}}, "min is above max"),
    (topics.METRICS, METRIC, {"value": {"count": 2, "sum": 9, "min": 2, "max": 3}}, "sum is not between"),
    (topics.TARGET_HEALTH, HEALTH, {"state": "sick"}, "$.state"),
    (topics.TARGET_HEALTH, HEALTH, {"target_id": ""}, "$.target_id"),
    (topics.ALARMS, ALARM, {"to_state": "alarm"}, "$.to_state"),
    (topics.ALARMS, ALARM, {"item_type": "Update"}, "$.item_type"),
    (topics.AUDIT, EVENT, {"eventID": ""}, "$.eventID"),
    (topics.AUDIT, EVENT, {"eventTime": "yesterday"}, "$.eventTime"),
])
def test_values_outside_their_fields_domain_are_set_aside(topic: str, good: Any, change: dict[str, Any], reason: str) -> None:
    record = msgspec.to_builtins(good)
    assert reasons(topic, msgspec.json.encode(record)) == []
    table, bad = decode(topic, [msgspec.json.encode(record) + b"\n" + msgspec.json.encode({**record, **change})])
    assert table.num_rows == 1
    assert [entry.line for entry in bad] == [2]
    assert reason in bad[0].reason


def test_an_appliance_names_the_sender_alone_where_it_could_read_no_more() -> None:
    assert rows(topics.APPLIANCE_ACCESS, msgspec.json.encode(msgspec.structs.replace(ACCESS, action="malformed", dstaddr="-")))


def test_messages_without_lines_are_nothing() -> None:
    assert decode(topics.METRICS, [b"", b"\n \n"]) == (None, [])


@given(st.lists(st.one_of(st.binary(max_size=40), st.just(msgspec.json.encode(METRIC))), max_size=6))
def test_every_line_is_a_row_or_set_aside(lines: list[bytes]) -> None:
    for topic in (topics.METRICS, topics.AUDIT):
        table, bad = decode(topic, lines)
        assert (0 if table is None else table.num_rows) + len(bad) == sum(
            1 for body in lines for line in body.split(b"\n") if line.strip()
        )
        assert table is None or table.schema == tables.BY_TOPIC[topic].schema
