"""What the lake says about the alarms' metrics: each alarm's evaluation range, and which series there are.

One query answers all alarms whose windows move in the same steps; it reads only files of the time asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from queries.alarms.alarm import AlarmEntry
from queries.alarms.evaluation import Datapoint, last_end_s, range_periods, step_s, window_starts
from queries.lake import Lake
from queries.metric_statistics import Merged, StatisticSet, merged

#: Series of `for_each` alarms are looked for in this last time, so that one is found even if an evaluation was skipped.
SEEN_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """When it is (epoch seconds), how far apart metrics are stored, and how long after its end a period may arrive."""

    now_s: float
    metrics_period_s: int
    arrival_s: float


@dataclass(slots=True, kw_only=True)
class Measurement:
    """Metrics of one moment, by the step of their windows, namespace and metric name."""

    found: dict[tuple[int, str, str], list[Merged]] = field(default_factory=dict)

    def series_of(self, template: AlarmEntry) -> list[Merged]:
        """The series that a `for_each` alarm stands for, the one with the newest data last."""
        known = self.found.get(_key(template), [])
        covered = [
            each for each in known if template.covers(template.namespace, each.metric_name, each.dimensions)
        ]
        return sorted(covered, key=lambda each: each.newest_s)

    def datapoints(self, alarm: AlarmEntry, clock: Clock) -> list[Datapoint]:
        """The alarm's evaluation range at this moment, oldest first."""
        known = self.found.get(_key(alarm), [])
        one = next((each for each in known if each.dimensions == alarm.dimensions), None)
        end_s = last_end_s(
            clock.now_s, period_s=alarm.period_s, arrival_s=clock.arrival_s,
            covered_until_s=one.newest_s + clock.metrics_period_s if one else 0.0,
        )
        starts = window_starts(end_s, period_s=alarm.period_s, periods=range_periods(alarm.evaluation_periods))
        return [_datapoint(alarm, one.sets if one else {}, start_s) for start_s in starts]


def _key(alarm: AlarmEntry) -> tuple[int, str, str]:
    return step_s(alarm.period_s), alarm.namespace, alarm.metric_name


def _datapoint(alarm: AlarmEntry, sets: dict[int, StatisticSet], start_s: int) -> Datapoint:
    steps = range(start_s, start_s + alarm.period_s, step_s(alarm.period_s))
    parts = [sets[step] for step in steps if step in sets]
    if not parts:
        return Datapoint(start_s=start_s, value=None)
    whole = reduce(or_, parts)
    return Datapoint(start_s=start_s, value=whole.value(alarm.statistic), sample_count=whole.count)


def measure(lake: Lake, alarms: Sequence[AlarmEntry], clock: Clock) -> Measurement:
    """Ask the lake for all that these alarms (and `for_each` alarms) need.  Raises `QueryFailed`."""
    measurement = Measurement()
    groups: dict[tuple[int, str], list[AlarmEntry]] = {}
    for alarm in alarms:
        groups.setdefault((step_s(alarm.period_s), alarm.namespace), []).append(alarm)
    for (step, namespace), members in groups.items():
        span_s = max(alarm.period_s * range_periods(alarm.evaluation_periods) for alarm in members)
        found = merged(
            lake, namespace=namespace, metric_names=sorted({alarm.metric_name for alarm in members}), period_s=step,
            # Up to a step and the time of arrival more, since the newest window may not be the one that just ended.
            start_s=clock.now_s - max(span_s + 2 * step + clock.arrival_s, SEEN_S), end_s=clock.now_s + 1,
        )
        for each in found:
            measurement.found.setdefault((step, namespace, each.metric_name), []).append(each)
    return measurement
