"""What an alarm is: definition, the TOML file that has them, and the default alarm.

The file has an `[[alarm]]` table for each alarm, with the keys of `AlarmEntry`.  An alarm with `for_each` stands for
many: one for every series of its metric that has exactly these dimensions, named after the value of the last of them.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from gatewatch.records.metric import GATEWAY_NAMESPACE, OWN_NAMESPACE
from gatewatch.refusal import Refusal
from gatewatch.settings import Settings
from queries.alarms.evaluation import ComparisonOperator, Rule, TreatMissingData
from queries.conditions.condition import CONDITIONS, alarm_name
from queries.conditions.metrics import CONDITION_METRIC
from queries.metric_statistics import Statistic

#: Most alarms there may be, instances of `for_each` included.
ALARMS_MAX = 1_000

#: Longest time that N periods may cover: a day, or a week for periods of an hour and more (CloudWatch's limits).
SPAN_S_MAX = 86_400
LONG_SPAN_S_MAX = 7 * 86_400


class BadAlarm(Refusal, ValueError):
    """A definition that cannot be; the message names file, alarm, key, what was found and what is allowed."""


class AlarmEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One alarm as defined; periods are in seconds.  `datapoints_to_alarm` 0 means as many as `evaluation_periods`."""

    name: str
    metric_name: str
    statistic: Statistic
    period_s: int
    comparison_operator: ComparisonOperator
    threshold: float
    namespace: str = GATEWAY_NAMESPACE
    description: str = ""
    evaluation_periods: int = 1
    datapoints_to_alarm: int = 0
    treat_missing_data: TreatMissingData = TreatMissingData.MISSING
    dimensions: dict[str, str] = {}
    for_each: list[str] = []
    unit: str = ""

    @property
    def rule(self) -> Rule:
        """What decides about its datapoints."""
        return Rule(
            comparison_operator=self.comparison_operator, threshold=self.threshold,
            evaluation_periods=self.evaluation_periods,
            datapoints_to_alarm=self.datapoints_to_alarm or self.evaluation_periods,
            treat_missing_data=self.treat_missing_data,
        )

    def instance(self, dimensions: dict[str, str]) -> AlarmEntry:
        """The alarm of one series of a `for_each` alarm."""
        value = dimensions[self.for_each[-1]]
        parts = value.split("/")
        suffix = parts[1] if len(parts) == 3 else value
        return msgspec.structs.replace(self, name=f"{self.name}-{suffix}", dimensions=dimensions, for_each=[])

    def covers(self, namespace: str, metric_name: str, dimensions: Iterable[str]) -> bool:
        """Whether a series with these dimension names is one that `for_each` stands for."""
        return (namespace, metric_name, set(dimensions)) == (self.namespace, self.metric_name, set(self.for_each))


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    alarm: list[AlarmEntry] = []


def default_alarm(settings: Settings) -> AlarmEntry:
    """An unhealthy target in any target group.  Its period is never finer than the metrics'."""
    return AlarmEntry(
        name="gatewatch-unhealthy-hosts", description="A target group has unhealthy targets.",
        metric_name="UnHealthyHostCount", statistic=Statistic.MAXIMUM,
        period_s=max(settings.alarm_period_s, settings.metrics_period_s),
        comparison_operator=ComparisonOperator.GREATER, threshold=0.0, for_each=["LoadBalancer", "TargetGroup"],
    )


def condition_alarms(settings: Settings) -> list[AlarmEntry]:
    """One for each condition that loses traffic or records; two periods in a row, so that a start is no outage."""
    period_s = max(settings.alarm_period_s, settings.metrics_period_s)
    return [
        AlarmEntry(
            name=alarm_name(code), description=f"{kind.heading}. {kind.meaning} {kind.action}",
            namespace=OWN_NAMESPACE, metric_name=CONDITION_METRIC, dimensions={"Condition": code}, statistic=Statistic.MAXIMUM,
            period_s=period_s, evaluation_periods=2, comparison_operator=ComparisonOperator.GREATER, threshold=0.0,
        )
        for code, kind in CONDITIONS.items() if kind.alarm
    ]


def load_alarms(settings: Settings) -> list[AlarmEntry]:
    """The alarms of `alarms_file`, or the default ones.  Raises `BadAlarm`."""
    if not settings.alarms_file:
        return [default_alarm(settings), *condition_alarms(settings)]
    path = Path(settings.alarms_file)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadAlarm(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # also bytes that are no UTF-8, and numbers of thousands of digits
        raise BadAlarm(f"{path}: is not TOML: {error}") from error
    try:
        alarms = msgspec.convert(content, _File).alarm
    except msgspec.ValidationError as error:
        raise BadAlarm(f"{path}: {error}") from error
    _check_all(path, alarms)
    return alarms


def _check_all(path: Path, alarms: Sequence[AlarmEntry]) -> None:
    if len(alarms) > ALARMS_MAX:
        raise BadAlarm(f"{path}: has {len(alarms)} alarms; there may be {ALARMS_MAX}")
    for index, alarm in enumerate(alarms, 1):
        problem = _problem(alarm)
        if problem:
            raise BadAlarm(f"{path}: alarm {index} ({alarm.name!r}): {problem}")
    names = [alarm.name for alarm in alarms]
    for name in names:
        if names.count(name) > 1:
            raise BadAlarm(f"{path}: two alarms are named {name!r}")


def _problem(alarm: AlarmEntry) -> str:
    rule = alarm.rule
    if not 1 <= len(alarm.name) <= 255:
        return "name must have 1 to 255 characters"
    if alarm.period_s not in (1, 5, 10, 20, 30) and (alarm.period_s < 60 or alarm.period_s % 60):
        return f"period_s is {alarm.period_s}; allowed: 1, 5, 10, 20, 30 and multiples of 60"
    if not math.isfinite(alarm.threshold):
        return f"threshold is {alarm.threshold}; allowed: a number that is finite"
    if alarm.evaluation_periods < 1:
        return f"evaluation_periods is {alarm.evaluation_periods}; allowed: 1 or more"
    if not 1 <= rule.datapoints_to_alarm <= alarm.evaluation_periods:
        return f"datapoints_to_alarm is {alarm.datapoints_to_alarm}; allowed: 1 to evaluation_periods"
    span_s_max = LONG_SPAN_S_MAX if alarm.period_s >= 3_600 else SPAN_S_MAX
    if alarm.period_s * alarm.evaluation_periods > span_s_max:
        return f"evaluation_periods times period_s is over {span_s_max} s"
    if alarm.for_each and alarm.dimensions:
        return "has both dimensions and for_each; choose one"
    return ""
