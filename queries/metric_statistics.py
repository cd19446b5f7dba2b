"""Statistics of a metric over aligned periods, as CloudWatch's GetMetricStatistics gives them.

Rules (Amazon CloudWatch User Guide, "Metrics concepts"): a datapoint carries the *start* of its period; periods are
aligned to the epoch; a set of dimensions names one metric exactly, there is no roll-up; statistic sets merge by adding
SampleCount and Sum and by the least Minimum and greatest Maximum; Average is Sum over SampleCount; a period without
data has no point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from queries.lake import Lake


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
    raise AssertionError("filled in by the next change")


def list_metrics(lake: Lake, *, start_s: float, end_s: float, namespace: str = "") -> list[MetricName]:
    """Metrics with data in the range, ordered.  Raises `QueryFailed`."""
    raise AssertionError("filled in by the next change")


def total(parts: list[Series]) -> list[Point]:
    """Add series period by period (for example host counts over target groups); a part without a point adds nothing."""
    raise AssertionError("filled in by the next change")
