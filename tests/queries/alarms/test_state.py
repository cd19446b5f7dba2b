"""State, history and outbox in their file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from gatewatch.settings import Settings
from gatewatch.status_file import write_status
from queries.alarms.alarm import AlarmEntry, default_alarm
from queries.alarms.state import (
    FILE,
    HISTORY_ITEMS_MAX,
    HISTORY_KEEP_S,
    OUTBOX_MAX,
    AlarmState,
    StateValue,
    read_alarms,
    read_history,
)
from queries.lake import QueryFailed
from tests.queries.lake_builder import BALANCER, GROUP

ALARM = default_alarm(Settings()).instance({"LoadBalancer": BALANCER, "TargetGroup": GROUP})


@pytest.fixture
def state(tmp_path: Path) -> Iterator[AlarmState]:
    opened = AlarmState(tmp_path / FILE)
    yield opened
    opened.close()


def alarmed(state: AlarmState, now_s: float = 10.0, notification: str | None = "{}") -> None:
    state.change(ALARM.name, StateValue.ALARM, reason="why", reason_data='{"a": 1}', now_s=now_s, notification=notification)


def summaries(state: AlarmState) -> list[str]:
    return [item.summary for item in reversed(state.history(limit=50))]


def test_a_new_alarm_begins_without_data(state: AlarmState) -> None:
    assert state.define(ALARM, template="t", now_s=1.0)
    assert not state.define(ALARM, template="t", now_s=2.0)
    [stored] = state.stored().values()
    assert (stored.state, stored.reason) == (StateValue.INSUFFICIENT_DATA, "Unchecked: Initial alarm creation")
    assert (stored.alarm, stored.template, stored.configured_s) == (ALARM, "t", 1.0)
    assert summaries(state) == [f'Alarm "{ALARM.name}" created']


def test_a_change_its_history_and_its_notification_are_one(state: AlarmState, tmp_path: Path) -> None:
    state.define(ALARM, template="", now_s=1.0)
    alarmed(state)
    state.close()
    again = AlarmState(tmp_path / FILE)
    assert again.stored()[ALARM.name].state is StateValue.ALARM
    [item] = again.history(limit=1)
    assert (item.item_type, item.from_state, item.to_state, item.time_s) == ("StateUpdate", "INSUFFICIENT_DATA", "ALARM", 10)
    assert item.summary == "Alarm updated from INSUFFICIENT_DATA to ALARM"
    assert json.loads(item.data)["newState"] == {"stateValue": "ALARM", "stateReason": "why", "stateReasonData": {"a": 1}}
    assert [each.body for each in again.waiting(limit=5)] == ["{}"]
    again.close()


def test_a_failing_transaction_changes_nothing(state: AlarmState) -> None:
    state.define(ALARM, template="", now_s=1.0)
    with pytest.raises(sqlite3.Error):
        state.change(
            ALARM.name, StateValue.ALARM, reason="why", reason_data="{}", now_s=10.0, notification=object()  # type: ignore[arg-type]
        )
    assert state.stored()[ALARM.name].state is StateValue.INSUFFICIENT_DATA
    assert len(state.history()) == 1


def test_another_threshold_keeps_the_state_and_another_series_does_not(state: AlarmState) -> None:
    state.define(ALARM, template="", now_s=1.0)
    alarmed(state)
    state.define(msgspec.structs.replace(ALARM, threshold=1.0), template="", now_s=20.0)
    assert state.stored()[ALARM.name].state is StateValue.ALARM
    state.define(msgspec.structs.replace(ALARM, dimensions={"LoadBalancer": "gwy/new/1"}), template="", now_s=30.0)
    assert state.stored()[ALARM.name].state is StateValue.INSUFFICIENT_DATA
    assert summaries(state)[-1] == f'Alarm "{ALARM.name}" updated'


def test_a_deleted_alarm_leaves_its_history(state: AlarmState) -> None:
    state.define(ALARM, template="", now_s=1.0)
    state.delete(ALARM.name, now_s=2.0)
    assert state.stored() == {}
    assert summaries(state)[-1] == f'Alarm "{ALARM.name}" deleted'


def test_an_attempt_is_noted_and_the_next_one_put_off(state: AlarmState) -> None:
    state.define(ALARM, template="", now_s=1.0)
    alarmed(state)
    [first] = state.waiting()
    state.attempted(first, summary="Failed", data={}, now_s=11.0, again_s=12.0)
    [second] = state.waiting()
    assert (second.attempts, second.due_s) == (1, 12.0)
    state.attempted(second, summary="Done", data={}, now_s=12.0, again_s=None)
    assert state.waiting_count() == 0
    assert summaries(state)[-2:] == ["Failed", "Done"]


def test_the_outbox_is_bounded_and_says_what_it_gave_up(state: AlarmState) -> None:
    state.define(ALARM, template="", now_s=1.0)
    for number in range(OUTBOX_MAX + 3):
        alarmed(state, notification=str(number))
    assert state.waiting_count() == OUTBOX_MAX
    assert state.waiting()[0].body == "3"
    assert sum("too many notifications wait" in item.summary for item in state.history(limit=5_000)) == 3


def test_history_is_bounded_in_age_but_not_before_it_is_published(state: AlarmState) -> None:
    state.define(ALARM, template="", now_s=1.0)
    alarmed(state, now_s=2.0)
    alarmed(state, now_s=HISTORY_KEEP_S)
    newest = state.history()[0].id
    state.trim(now_s=HISTORY_KEEP_S + 3.0, published=newest - 2)
    assert len(state.history()) == 2
    state.trim(now_s=HISTORY_KEEP_S + 3.0, published=newest)
    assert [item.id for item in state.history()] == [newest]
    assert [item.id for item in state.history_after(newest - 1, limit=10)] == [newest]


def test_history_is_bounded_in_number(state: AlarmState, monkeypatch: pytest.MonkeyPatch) -> None:
    assert HISTORY_ITEMS_MAX > 1_000
    monkeypatch.setattr("queries.alarms.state.HISTORY_ITEMS_MAX", 3)
    state.define(ALARM, template="", now_s=1.0)
    for _ in range(5):
        alarmed(state)
    state.trim(now_s=11.0, published=100)
    assert len(state.history()) == 3


def test_the_console_reads_without_the_service(state: AlarmState, tmp_path: Path) -> None:
    state.define(ALARM, template="", now_s=1.0)
    alarmed(state)
    write_status(tmp_path, "alarms", 12.0, {"evaluated_s": 11.5})
    [alarm] = read_alarms(tmp_path)
    assert (alarm.name, alarm.state, alarm.evaluated_s, alarm.state_changed_s) == (ALARM.name, StateValue.ALARM, 11.5, 10.0)
    assert (alarm.statistic, alarm.comparison_operator, alarm.datapoints_to_alarm) == ("Maximum", "GreaterThanThreshold", 1)
    assert [item.item_type for item in read_history(tmp_path)] == ["StateUpdate", "ConfigurationUpdate"]
    assert read_history(tmp_path, alarm_name="other") == []
    assert len(read_history(tmp_path, limit=1)) == 1


def test_a_service_that_never_ran_has_no_alarms(tmp_path: Path) -> None:
    assert read_alarms(tmp_path) == []
    assert read_history(tmp_path) == []
    (tmp_path / FILE).touch()
    assert read_alarms(tmp_path) == []


def test_a_damaged_file_is_a_failure_and_not_an_empty_list(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 500)
    with pytest.raises(QueryFailed, match="cannot be read"):
        read_alarms(tmp_path)


def test_each_file_has_an_identity_that_lasts(state: AlarmState, tmp_path: Path) -> None:
    same, other = AlarmState(tmp_path / FILE), AlarmState(tmp_path / "other.sqlite")
    assert same.identity == state.identity
    assert other.identity != state.identity
    same.close()
    other.close()


def test_definitions_survive_as_they_were(state: AlarmState) -> None:
    state.define(ALARM, template="", now_s=1.0)
    assert isinstance(state.stored()[ALARM.name].alarm, AlarmEntry)
    assert state.stored()[ALARM.name].alarm.dimensions == {"LoadBalancer": BALANCER, "TargetGroup": GROUP}
