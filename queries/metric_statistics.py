"""Statistics of a metric over aligned periods, as CloudWatch's GetMetricStatistics gives them.

Rules (Amazon CloudWatch User Guide, "Metrics concepts"): a datapoint carries the *start* of its period; periods are
aligned to the epoch; a set of dimensions names one metric exactly, there is no roll-up; statistic sets merge by adding
SampleCount and Sum and by the least Minimum and greatest Maximum; Average is Sum over SampleCount; a period without
data has no point.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from queries.lake import Lake

#: One row for each metric, exact dimensions and period; `gap_ms` is the least distance of stored points in it.
_MERGED = """
    WITH stored AS (
        SELECT metric_name, coalesce(dimensions, '') AS dimensions, coalesce(unit, '') AS unit,
               epoch_ms("timestamp") AS time_ms, sample_count, "sum", minimum, maximum
        FROM metrics
        WHERE namespace = $namespace AND list_contains($metric_names, metric_name)
          AND ($load_balancer = '' OR load_balancer = $load_balancer)
          AND "timestamp" >= make_timestamptz($start_ms * 1000) AND "timestamp" < make_timestamptz($end_ms * 1000)
          AND sample_count > 0
    ),
    spaced AS (
        SELECT *, nullif(time_ms - lag(time_ms) OVER series, 0) AS gap_ms
        FROM stored
        WINDOW series AS (PARTITION BY metric_name, dimensions ORDER BY time_ms)
    )
    SELECT metric_name, dimensions, max(unit) AS unit, time_ms - time_ms % $period_ms AS period_ms,
           sum(sample_count) AS sample_count, sum("sum") AS total, min(minimum) AS minimum, max(maximum) AS maximum,
           min(gap_ms) AS gap_ms, max(time_ms) AS newest_ms
    FROM spaced
    GROUP BY metric_name, dimensions, time_ms - time_ms % $period_ms
    ORDER BY metric_name, dimensions, period_ms
"""

_LISTED = """
    SELECT namespace, metric_name, coalesce(dimensions, '') AS dimensions, max(coalesce(unit, '')) AS unit,
           max(epoch_ms("timestamp")) // 1000 AS newest_s
    FROM metrics
    WHERE ($namespace = '' OR namespace = $namespace)
      AND "timestamp" >= make_timestamptz($start_ms * 1000) AND "timestamp" < make_timestamptz($end_ms * 1000)
    GROUP BY namespace, metric_name, coalesce(dimensions, '')
    ORDER BY namespace, metric_name, dimensions
"""


class Statistic(StrEnum):
    """The statistics that statistic sets can answer."""

    SUM = "Sum"
    AVERAGE = "Average"
    MINIMUM = "Minimum"
    MAXIMUM = "Maximum"
    SAMPLE_COUNT = "SampleCount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The value of the period that starts at `timestamp_s` (epoch seconds)."""

    timestamp_s: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points in order of time.  `stored_period_s` is what the data itself is spaced by (None: fewer than two points).

    `note` is empty, or says that the period asked for is finer than what is stored.
    """

    namespace: str
    metric_name: str
    dimensions: dict[str, str]
    statistic: Statistic
    period_s: int
    unit: str
    points: list[Point]
    stored_period_s: int | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticSet:
    """What CloudWatch keeps of the samples of a period."""

    count: float
    sum: float
    min: float
    max: float

    def value(self, statistic: Statistic) -> float:
        """One statistic of the set."""
        if statistic is Statistic.AVERAGE:
            return self.sum / self.count
        return {
            Statistic.SUM: self.sum, Statistic.MINIMUM: self.min, Statistic.MAXIMUM: self.max,
            Statistic.SAMPLE_COUNT: self.count,
        }[statistic]

    def __or__(self, other: StatisticSet) -> StatisticSet:
        """The set of both sets' samples."""
        return StatisticSet(
            count=self.count + other.count, sum=self.sum + other.sum, min=min(self.min, other.min),
            max=max(self.max, other.max),
        )


@dataclass(slots=True, kw_only=True)
class Merged:
    """One metric with its statistic set by the start of each period; `newest_s` is its newest stored point's time."""

    metric_name: str
    dimensions: dict[str, str]
    unit: str
    sets: dict[int, StatisticSet] = field(default_factory=dict)
    stored_period_s: int | None = None
    newest_s: float = 0.0

    def points(self, statistic: Statistic) -> list[Point]:
        """The statistic of each period, in order of time."""
        return [Point(timestamp_s=time_s, value=each.value(statistic)) for time_s, each in sorted(self.sets.items())]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricName:
    """A metric that has data: namespace, name, exact dimensions, unit, and the time of its newest period."""

    namespace: str
    metric_name: str
    dimensions: dict[str, str]
    unit: str
    newest_s: int


def series(
    lake: Lake,
    *,
    namespace: str,
    metric_name: str,
    statistic: Statistic,
    period_s: int,
    start_s: float,
    end_s: float,
    dimensions: Mapping[str, str],
) -> Series:
    """One metric's statistic for each period that starts in `start_s <= t < end_s`.

    `start_s` is rounded down to its period.  Raises `ValueError` for a period below 1 s or an empty range, and
    `QueryFailed`.
    """
    if period_s < 1 or end_s <= start_s:
        raise ValueError(f"a period is 1 s or more and a range ends after its start: {period_s}, {start_s} to {end_s}")
    wanted = dict(dimensions)
    found = merged(
        lake, namespace=namespace, metric_names=[metric_name], period_s=period_s, start_s=start_s, end_s=end_s,
        load_balancer=wanted.get("LoadBalancer", ""),
    )
    same = [each for each in found if each.dimensions == wanted]
    # One set of dimensions has one spelling in the table, so there is at most one.
    stored = same[0].stored_period_s if same else None
    return Series(
        namespace=namespace, metric_name=metric_name, dimensions=wanted, statistic=statistic, period_s=period_s,
        unit=same[0].unit if same else "", stored_period_s=stored, note=_note(period_s, stored),
        points=same[0].points(statistic) if same else [],
    )


def _note(period_s: int, stored_s: int | None) -> str:
    if stored_s is None or stored_s <= period_s:
        return ""
    return f"period {period_s} s is finer than what is stored: there is one point every {stored_s} s"


def merged(
    lake: Lake,
    *,
    namespace: str,
    metric_names: Sequence[str],
    period_s: int,
    start_s: float,
    end_s: float,
    load_balancer: str = "",
) -> list[Merged]:
    """Statistic sets of several metrics by period, one entry for each metric and exact set of dimensions.

    `load_balancer` narrows the search to that LoadBalancer dimension; empty: no narrowing.  Raises `QueryFailed`.
    """
    first_s = math.floor(start_s / period_s) * period_s
    parameters = {
        "namespace": namespace, "metric_names": list(metric_names), "load_balancer": load_balancer,
        "period_ms": period_s * 1000, "start_ms": first_s * 1000, "end_ms": math.ceil(end_s * 1000),
    }
    found = lake.fetch(_MERGED, parameters, tables=["metrics"], start_s=first_s, end_s=end_s)
    by_metric: dict[tuple[str, str], Merged] = {}
    for row in found.to_pylist():
        key = (row["metric_name"], row["dimensions"])
        if key not in by_metric:
            by_metric[key] = Merged(
                metric_name=row["metric_name"], dimensions=dimensions_of(row["dimensions"]), unit=row["unit"]
            )
        one = by_metric[key]
        one.sets[row["period_ms"] // 1000] = StatisticSet(
            count=row["sample_count"], sum=row["total"], min=row["minimum"], max=row["maximum"]
        )
        one.newest_s = max(one.newest_s, row["newest_ms"] / 1000)
        if row["gap_ms"] and (one.stored_period_s is None or row["gap_ms"] < one.stored_period_s * 1000):
            one.stored_period_s = max(1, row["gap_ms"] // 1000)
    return list(by_metric.values())


def dimensions_of(text: str | None) -> dict[str, str]:
    """Dimensions from the JSON text of the `metrics` table."""
    return msgspec.json.decode(text, type=dict[str, str]) if text else {}


def list_metrics(lake: Lake, *, start_s: float, end_s: float, namespace: str = "") -> list[MetricName]:
    """Metrics with data in the range, ordered.  Raises `QueryFailed`."""
    parameters = {"namespace": namespace, "start_ms": math.floor(start_s * 1000), "end_ms": math.ceil(end_s * 1000)}
    found = lake.fetch(_LISTED, parameters, tables=["metrics"], start_s=start_s, end_s=end_s)
    return [MetricName(**{**row, "dimensions": dimensions_of(row["dimensions"])}) for row in found.to_pylist()]


def total(parts: Sequence[Sequence[Point]]) -> list[Point]:
    """Add points period by period (for example host counts over target groups); a part without a point adds nothing."""
    sums: dict[int, float] = {}
    for points in parts:
        for point in points:
            sums[point.timestamp_s] = sums.get(point.timestamp_s, 0.0) + point.value
    return [Point(timestamp_s=time_s, value=value) for time_s, value in sorted(sums.items())]
