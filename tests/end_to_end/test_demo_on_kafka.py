"""The demo over a real Apache Kafka 4, with ingest killed by SIGKILL ten times on the way: every record exactly once."""

from __future__ import annotations

import pytest

from queries.lake import Lake
from tests.end_to_end.demo_run import DemoRun, run_demo, unhealthy_hosts_alarm
from tests.kafka_broker import KafkaBroker, missing

pytestmark = [pytest.mark.network, pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(900)]

KILLS = 10


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    """On a broker of its own, so that nothing of other tests is in its topics."""
    if missing():
        pytest.skip(missing())
    folder = tmp_path_factory.mktemp("demo-kafka")
    broker = KafkaBroker(folder / "broker")
    broker.start()
    try:
        return run_demo(
            folder, "--bus", f"kafka://{broker.bootstrap}", "--ingest-kills", str(KILLS), duration_s=60
        )
    finally:
        broker.stop()


def test_the_books_balance_on_kafka(demo: DemoRun) -> None:
    assert demo.status == 0, demo.output
    assert demo.report["bus"] == "kafka"
    assert (demo.report["balanced"], demo.report["differences"]) == (True, [])


def test_ingest_was_killed_ten_times(demo: DemoRun) -> None:
    assert demo.output.count("killed ingest (SIGKILL)") == KILLS


def test_every_record_is_there_exactly_once_all_the_same(demo: DemoRun) -> None:
    for kind in ("flow_records", "audit_events"):
        assert demo.report[kind]["emitted"] == demo.report[kind]["in_lake"] > 0


def test_no_flow_record_stands_twice(demo: DemoRun) -> None:
    twice = (
        Lake(demo.data)
        .fetch(
            "select count(*) as n from (select interface_id, srcaddr, dstaddr, pkt_srcaddr, pkt_dstaddr, srcport, dstport, protocol, "
            "flow_direction, action, gw_drop_reason, gw_target_id, start, \"end\" from flow_logs where log_status = 'OK' "
            "group by all having count(*) > 1)",
            tables=("flow_logs",),
        )
        .to_pylist()
    )
    assert twice == [{"n": 0}]


def test_the_alarm_goes_ok_alarm_ok_on_kafka(demo: DemoRun) -> None:
    assert unhealthy_hosts_alarm(demo) == ["OK", "ALARM", "OK"]
