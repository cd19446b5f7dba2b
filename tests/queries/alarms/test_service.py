"""The service's loop, tick by tick with the time passed in, over a real lake, spool and alarms file."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gatewatch.bus import Draft, open_consumer, open_publisher
from gatewatch.records import topics
from gatewatch.records.alarm_event import AlarmEvent
from gatewatch.settings import Settings
from gatewatch.status_file import read_status, write_status
from queries.alarms import service as service_module
from queries.alarms.service import INSTANCE_KEEP_S, AlarmService, Due, turn
from queries.alarms.state import StateValue, read_alarms, read_history
from queries.conditions.condition import CONDITIONS
from queries.lake import QueryFailed
from tests.queries.lake_builder import BALANCER, GROUP, HOUR_S, publish, unhealthy

NAME = "gatewatch-unhealthy-hosts-appliances"
UNHEALTHY = Path(__file__).parents[2] / "fixtures/alarms/unhealthy_1s.toml"


def settings_of(data: Path, **changes: object) -> Settings:
    values = {"data": str(data), "metrics_period_s": 1, "alarm_period_s": 1, "alarm_evaluation_s": 1.0,
              "alarms_file": str(UNHEALTHY), **changes}
    return Settings(**values)  # type: ignore[arg-type]


def run(settings: Settings, act: Callable[[AlarmService], None]) -> None:
    """One life of the service."""
    publisher = open_publisher(settings, "alarms")
    service = AlarmService(settings, publisher)
    try:
        act(service)
    finally:
        service.close()
        publisher.close()


def seconds(data: Path, values: str, start: int = 0) -> Callable[[AlarmService], None]:
    """A tick 1.2 s after the start of each second, with that second's count of unhealthy hosts (`-`: none)."""
    def act(service: AlarmService) -> None:
        for second, value in enumerate(values, start):
            if value != "-":
                publish(data, "metrics", [unhealthy(HOUR_S + second, float(value))])
            service.tick(HOUR_S + second + 1.2)

    return act


def transitions(data: Path) -> list[tuple[int, str, str]]:
    items = [item for item in read_history(data) if item.item_type == "StateUpdate"]
    return [(int(item.time_s) - HOUR_S, item.from_state, item.to_state) for item in reversed(items)]


def events(settings: Settings) -> list[AlarmEvent]:
    consumer = open_consumer(settings, "test", [topics.ALARMS], {})
    messages = consumer.poll(0.0, 1_000)
    consumer.close()
    return [msgspec.json.decode(line, type=AlarmEvent) for each in messages for line in each.value.splitlines()]


def test_a_target_that_fails_and_comes_back(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    run(settings, seconds(tmp_path, "000111000"))
    assert transitions(tmp_path) == [(1, "INSUFFICIENT_DATA", "OK"), (4, "OK", "ALARM"), (7, "ALARM", "OK")]
    [alarm] = read_alarms(tmp_path)
    assert (alarm.name, alarm.state) == (NAME, StateValue.OK)
    assert alarm.dimensions == {"LoadBalancer": BALANCER, "TargetGroup": GROUP}


def test_metrics_that_stop_make_data_insufficient_only_after_the_range(tmp_path: Path) -> None:
    run(settings_of(tmp_path, alarm_arrival_s=2.0), seconds(tmp_path, "000" + "-" * 8))
    # The newest three periods are missing once the third has had 2 s to arrive: 3, 4 and 5 end at 6.
    assert transitions(tmp_path) == [(1, "INSUFFICIENT_DATA", "OK"), (8, "OK", "INSUFFICIENT_DATA")]


def test_a_restart_goes_on_from_where_it_was(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    run(settings, seconds(tmp_path, "011"))
    run(settings, seconds(tmp_path, "110", start=3))
    assert transitions(tmp_path) == [(1, "INSUFFICIENT_DATA", "OK"), (2, "OK", "ALARM"), (6, "ALARM", "OK")]


def test_every_history_entry_goes_to_the_bus_exactly_once(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    run(settings, seconds(tmp_path, "01"))
    run(settings, seconds(tmp_path, "00", start=2))
    history = list(reversed(read_history(tmp_path)))
    assert [(event.item_type, event.summary) for event in events(settings)] == [
        (item.item_type, item.summary) for item in history
    ]
    assert len(history) == 4


def test_what_was_not_published_before_a_crash_is_published_after_it(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)

    def crash(service: AlarmService) -> None:
        service.publish = lambda now_s: None  # type: ignore[method-assign]
        seconds(tmp_path, "01")(service)

    run(settings, crash)
    assert events(settings) == []
    run(settings, lambda service: service.publish(HOUR_S + 10))
    assert [event.to_state for event in events(settings)] == ["", "OK", "ALARM"]


def test_an_entry_larger_than_a_message_is_published_without_its_data(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, message_bytes_max=1_024)
    run(settings, seconds(tmp_path, "0101"))
    found = events(settings)
    assert len(found) == 5
    assert all(json.loads(event.data) is not None for event in found)


def test_notifications_wait_when_there_is_a_webhook_and_only_then(tmp_path: Path) -> None:
    run(settings_of(tmp_path / "a", alarm_webhook="http://127.0.0.1:9/"), seconds(tmp_path / "a", "01"))
    run(settings_of(tmp_path / "b"), seconds(tmp_path / "b", "01"))

    def counted(expected: int) -> Callable[[AlarmService], None]:
        def act(service: AlarmService) -> None:
            assert service.state.waiting_count() == expected

        return act

    run(settings_of(tmp_path / "a"), counted(2))
    run(settings_of(tmp_path / "b"), counted(0))


def test_a_balancer_made_anew_takes_over_the_name(tmp_path: Path) -> None:
    new = "targetgroup/appliances/0000000000000001"

    def act(service: AlarmService) -> None:
        seconds(tmp_path, "01")(service)
        publish(tmp_path, "metrics", [unhealthy(HOUR_S + 5, 0.0, new)])
        service.tick(HOUR_S + 6.2)

    run(settings_of(tmp_path), act)
    [alarm] = read_alarms(tmp_path)
    assert (alarm.dimensions["TargetGroup"], alarm.state) == (new, StateValue.OK)


def test_an_alarm_that_is_no_longer_defined_is_deleted(tmp_path: Path) -> None:
    run(settings_of(tmp_path), seconds(tmp_path, "0"))
    file = tmp_path / "alarms.toml"
    file.write_text(
        '[[alarm]]\nname = "mine"\nmetric_name = "NewFlowCount"\nstatistic = "Sum"\nperiod_s = 60\nthreshold = 1\n'
        'comparison_operator = "GreaterThanThreshold"\n', encoding="utf-8",
    )
    run(settings_of(tmp_path, alarms_file=str(file)), lambda service: service.tick(HOUR_S + 2))
    assert [(alarm.name, alarm.state) for alarm in read_alarms(tmp_path)] == [("mine", StateValue.INSUFFICIENT_DATA)]
    assert f'Alarm "{NAME}" deleted' in [item.summary for item in read_history(tmp_path)]


def test_an_instance_whose_series_is_long_gone_is_deleted(tmp_path: Path) -> None:
    def act(service: AlarmService) -> None:
        seconds(tmp_path, "0")(service)
        service.tick(HOUR_S + 60)
        assert len(service.state.stored()) == 1
        service.tick(HOUR_S + 61 + INSTANCE_KEEP_S)
        assert service.state.stored() == {}

    run(settings_of(tmp_path), act)


def test_a_query_that_fails_changes_no_state(tmp_path: Path) -> None:
    def act(service: AlarmService) -> None:
        seconds(tmp_path, "0")(service)
        publish(tmp_path, "metrics", [unhealthy(HOUR_S + 1, 1.0)]).unlink()
        with pytest.raises(QueryFailed):
            service.tick(HOUR_S + 2.2)
        assert service.state.stored()[NAME].state is StateValue.OK

    run(settings_of(tmp_path), act)


def test_the_status_says_how_it_goes(tmp_path: Path) -> None:
    def act(service: AlarmService) -> None:
        seconds(tmp_path, "01")(service)
        service.write_status(HOUR_S + 3)

    run(settings_of(tmp_path), act)
    status = read_status(tmp_path, "alarms")
    assert status is not None
    assert status["alarms"] == {"OK": 0, "ALARM": 1, "INSUFFICIENT_DATA": 0}
    assert (status["evaluations"], status["state_changes"], status["events_published"]) == (2, 2, 3)
    assert (status["evaluated_s"], status["last_problem"]) == (HOUR_S + 2.2, "")
    assert status["bus"][0]["topic"] == topics.ALARMS


def start(settings: Settings) -> subprocess.Popen[bytes]:
    code = "import sys, msgspec; from gatewatch.settings import Settings; from queries.alarms.service import serve; "
    code += "serve(msgspec.json.decode(sys.argv[1], type=Settings))"
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, "-c", code, msgspec.json.encode(settings).decode()], stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
    )


def test_a_clock_set_back_does_not_stop_the_evaluation(tmp_path: Path) -> None:
    def act(service: AlarmService) -> None:
        due = Due()
        for second, now_s in enumerate((HOUR_S, HOUR_S + 1, HOUR_S - 3_600, HOUR_S - 3_599)):
            turn(service, due, float(now_s), 100.0 + second)
            assert service.counts.evaluated_s == now_s
        assert (service.counts.evaluations, service.counts.failed) == (4, 0)

    run(settings_of(tmp_path), act)


def test_a_status_that_cannot_be_written_does_not_end_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = [True]
    write = service_module.write_status

    def full(*arguments: Any) -> None:
        if broken:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(*arguments)

    monkeypatch.setattr(service_module, "write_status", full)

    def act(service: AlarmService) -> None:
        due = Due()
        for second in range(5):
            turn(service, due, HOUR_S + second, 100.0 + second)
        assert service.counts.evaluations == 5
        assert "No space left" in service.counts.last_problem
        broken.clear()
        turn(service, due, HOUR_S + 5, 105.0)

    run(settings_of(tmp_path), act)
    assert (read_status(tmp_path, "alarms") or {})["evaluations"] == 6
    assert "".join(capsys.readouterr()).count("met an error and goes on") == 1


def test_the_service_runs_until_it_is_told_to_stop(tmp_path: Path) -> None:
    process = start(settings_of(tmp_path))
    while read_status(tmp_path, "alarms") is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
        assert process.returncode is None
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=90)
    assert process.returncode == 0, errors.decode()


def test_a_second_service_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    def act(service: AlarmService) -> None:
        process = start(settings_of(tmp_path))
        _, errors = process.communicate(timeout=90)
        assert process.returncode == 1
        assert b"already publishes" in errors

    run(settings_of(tmp_path), act)


def test_a_bad_alarms_file_is_told_and_nothing_starts(tmp_path: Path) -> None:
    process = start(settings_of(tmp_path, alarms_file=str(tmp_path / "none.toml")))
    _, errors = process.communicate(timeout=90)
    assert process.returncode == 1
    assert b"none.toml: cannot be read" in errors


def test_one_tick_makes_no_more_alarms_than_there_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "ALARMS_MAX", 3)
    publish(tmp_path, "metrics", [unhealthy(HOUR_S, 0.0, f"targetgroup/group-{number}/0") for number in range(5)])
    run(settings_of(tmp_path), lambda service: service.tick(HOUR_S + 1.2))
    assert len(read_alarms(tmp_path)) == 3


def test_conditions_wait_for_the_bus_and_alarms_are_evaluated_meanwhile(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, alarms_file="")
    write_status(tmp_path, "forwarder", HOUR_S, {})
    publisher = open_publisher(settings, "alarms")
    service, due, full = AlarmService(settings, publisher), Due(), True
    given: list[Draft] = []

    class FullDisk:
        def __getattr__(self, name: str) -> object:
            return getattr(publisher, name)

        def publish(self, drafts: list[Draft], **_: object) -> None:
            if full:
                raise sqlite3.OperationalError("database or disk is full")
            given.extend(drafts)

    service._publisher = FullDisk()  # type: ignore[assignment]
    service.publish = lambda now_s: None  # type: ignore[method-assign]
    for second in range(4):
        due.evaluate_at_s = 0.0
        turn(service, due, HOUR_S + second, 1.0)
    assert (service.counts.evaluations, service.counts.failed, service.counts.last_problem) == (4, 0, "")
    full = False
    due.evaluate_at_s = 0.0
    turn(service, due, HOUR_S + 4, 1.0)
    assert sum(draft.records for draft in given) == 4 * len(CONDITIONS)
    service.close()
    publisher.close()
