"""Alarms as they stand, their history and the notifications still to be sent, in `alarms.sqlite` (one writer).

A change of state, its history entry and its notifications are one transaction, so that a crash loses none of them and
sends none that did not happen.  History is bounded in age and number.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class StateValue(StrEnum):
    """CloudWatch's three alarm states."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmNow:
    """An alarm as it stands.  Times are epoch seconds; `reason_data` is CloudWatch's StateReasonData, JSON text."""

    name: str
    description: str
    namespace: str
    metric_name: str
    dimensions: dict[str, str]
    statistic: str
    period_s: int
    evaluation_periods: int
    datapoints_to_alarm: int
    comparison_operator: str
    threshold: float
    treat_missing_data: str
    state: StateValue
    reason: str
    reason_data: str
    state_changed_s: float
    evaluated_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryItem:
    """An entry of an alarm's history.  `item_type`: ConfigurationUpdate, StateUpdate or Action; `data` is JSON text."""

    id: int
    time_s: float
    alarm_name: str
    item_type: str
    from_state: str
    to_state: str
    summary: str
    reason: str
    data: str


def read_alarms(data: Path) -> list[AlarmNow]:
    """Every alarm of a data folder, ordered by name; empty when the alarms service never ran.  For the console."""
    raise AssertionError("filled in by the next change")


def read_history(data: Path, *, alarm_name: str = "", limit: int = 100) -> list[HistoryItem]:
    """The newest entries of one alarm or all, newest first.  For the console."""
    raise AssertionError("filled in by the next change")
