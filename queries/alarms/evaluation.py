"""The decision about an alarm: from the datapoints of its evaluation range to a state.  No I/O, no clock.

Source: Amazon CloudWatch User Guide, "Using Amazon CloudWatch alarms": evaluating an alarm, configuring how alarms
treat missing data (the tables there are test data here), avoiding premature transitions, and the evaluation of metrics
with periods below and above a minute.  What the guide leaves open is chosen in docs/decisions/0061-alarm-evaluation.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class StateValue(StrEnum):
    """CloudWatch's three alarm states."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class TreatMissingData(StrEnum):
    """What a missing datapoint counts as."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


class ComparisonOperator(StrEnum):
    """The static comparisons; the value is the left operand."""

    GREATER_OR_EQUAL = "GreaterThanOrEqualToThreshold"
    GREATER = "GreaterThanThreshold"
    LESS = "LessThanThreshold"
    LESS_OR_EQUAL = "LessThanOrEqualToThreshold"

    def breaches(self, value: float, threshold: float) -> bool:
        """Whether the value is on the wrong side of the threshold."""
        return {
            ComparisonOperator.GREATER_OR_EQUAL: value >= threshold, ComparisonOperator.GREATER: value > threshold,
            ComparisonOperator.LESS: value < threshold, ComparisonOperator.LESS_OR_EQUAL: value <= threshold,
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What decides: N = `evaluation_periods`, M = `datapoints_to_alarm` (1 <= M <= N)."""

    comparison_operator: ComparisonOperator
    threshold: float
    evaluation_periods: int
    datapoints_to_alarm: int
    treat_missing_data: TreatMissingData


@dataclass(frozen=True, slots=True, kw_only=True)
class Datapoint:
    """One period of the range: its start (epoch seconds) and value, None when it is missing."""

    start_s: int
    value: float | None
    sample_count: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The state, the real datapoints it rests on (oldest first), and how many missing ones were filled in."""

    state: StateValue
    considered: tuple[Datapoint, ...]
    filled: int


def range_periods(evaluation_periods: int) -> int:
    """How many periods are looked at: two more than N, as in the guide's examples (5 for N = 3)."""
    return evaluation_periods + 2


def step_s(period_s: int) -> int:
    """How far the window moves from one evaluation to the next: a minute, 10 s for 10, 20 and 30 s, else the period."""
    if period_s >= 60:
        return 60
    return 10 if period_s % 10 == 0 else period_s


def last_end_s(now_s: float, *, period_s: int, covered_until_s: float, arrival_s: float) -> int:
    """Where the newest window ends that can be judged at `now_s`.

    A window that has ended is judged at once if the series is stored up to its end (`covered_until_s`); otherwise only
    when `arrival_s` have passed since, for its rows may still be on their way: until then it is not missing, but not
    there yet, and the window before it is the newest.
    """
    step = step_s(period_s)
    end = math.floor(now_s / step) * step
    while end > covered_until_s and now_s < end + arrival_s:
        end -= step
    return end


def window_starts(end_s: int, *, period_s: int, periods: int) -> list[int]:
    """Starts of the last `periods` windows up to `end_s`, oldest first."""
    return [end_s - back * period_s for back in range(periods, 0, -1)]


def evaluate(rule: Rule, datapoints: Sequence[Datapoint], current: StateValue) -> Verdict:
    """Judge the evaluation range, oldest first; `current` is what "keep" means."""
    real = [each for each in datapoints if each.value is not None]
    newest = real[-rule.evaluation_periods:]
    fill = rule.evaluation_periods - len(newest)
    breaching = sum(_breaches(rule, each) for each in newest)
    if not real:
        state = _when_all_missing(rule.treat_missing_data, current)
    elif fill == 0:
        # Enough real datapoints: how missing ones are treated does not matter.
        state = _alarm_if(breaching >= rule.datapoints_to_alarm)
    elif rule.treat_missing_data is TreatMissingData.BREACHING:
        state = _alarm_if(breaching + fill >= rule.datapoints_to_alarm)
    elif rule.treat_missing_data is TreatMissingData.NOT_BREACHING:
        state = _alarm_if(breaching >= rule.datapoints_to_alarm)
    else:
        state = _when_some_missing(rule, datapoints, breaching, len(newest), current)
    return Verdict(state=state, considered=tuple(newest), filled=fill)


def _breaches(rule: Rule, datapoint: Datapoint) -> bool:
    assert datapoint.value is not None, "only real datapoints are compared"
    return rule.comparison_operator.breaches(datapoint.value, rule.threshold)


def _alarm_if(condition: bool) -> StateValue:
    return StateValue.ALARM if condition else StateValue.OK


def _when_all_missing(treat: TreatMissingData, current: StateValue) -> StateValue:
    return {
        TreatMissingData.MISSING: StateValue.INSUFFICIENT_DATA, TreatMissingData.IGNORE: current,
        TreatMissingData.BREACHING: StateValue.ALARM, TreatMissingData.NOT_BREACHING: StateValue.OK,
    }[treat]


def _when_some_missing(
    rule: Rule, datapoints: Sequence[Datapoint], breaching: int, real: int, current: StateValue
) -> StateValue:
    """`missing` and `ignore` with fewer than N real datapoints."""
    if breaching >= rule.datapoints_to_alarm:
        return StateValue.ALARM
    if breaching < real:
        return StateValue.OK
    if rule.treat_missing_data is TreatMissingData.IGNORE:
        return current
    # All that is known is breaching, but too little is known.  Alarm only once the oldest of it is M periods old
    # (the newest period being 1), so that a few points at the beginning do not alarm too early.
    oldest = next(index for index, each in enumerate(datapoints) if each.value is not None)
    return StateValue.ALARM if len(datapoints) - oldest >= rule.datapoints_to_alarm else current
