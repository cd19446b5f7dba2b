"""The load balancer's charts, in the arrangement of CloudWatch's automatic dashboard for Gateway Load Balancers.

Host counts are published with TargetGroup and not for the load balancer alone, so AWS's own dashboard can stay empty;
here they are summed over the target groups.  A chart without points is a load balancer without traffic in the range:
most metrics are only reported when not zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from queries.lake import Lake
from queries.metric_statistics import Point, Statistic


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartDefinition:
    """A chart: its place, metric and statistic.  `per_target_group` metrics are summed over target groups."""

    row: int
    metric_name: str
    statistic: Statistic
    unit: str
    per_target_group: bool = False


#: First the automatic dashboard's two rows, then what the EC2 console's monitoring tab adds.
CHARTS = (
    ChartDefinition(row=1, metric_name="HealthyHostCount", statistic=Statistic.AVERAGE, unit="Count", per_target_group=True),
    ChartDefinition(row=1, metric_name="UnHealthyHostCount", statistic=Statistic.AVERAGE, unit="Count", per_target_group=True),
    ChartDefinition(row=1, metric_name="ActiveFlowCount", statistic=Statistic.SUM, unit="Count"),
    ChartDefinition(row=2, metric_name="ConsumedLCUs", statistic=Statistic.AVERAGE, unit="Count"),
    ChartDefinition(row=2, metric_name="NewFlowCount", statistic=Statistic.SUM, unit="Count"),
    ChartDefinition(row=2, metric_name="ProcessedBytes", statistic=Statistic.SUM, unit="Bytes"),
    ChartDefinition(row=3, metric_name="RejectedFlowCount", statistic=Statistic.AVERAGE, unit="Count"),
    ChartDefinition(row=3, metric_name="PeakBytesPerSecond", statistic=Statistic.MAXIMUM, unit="Bytes/Second"),
    ChartDefinition(row=3, metric_name="PeakPacketsPerSecond", statistic=Statistic.MAXIMUM, unit="Count/Second"),
    ChartDefinition(row=4, metric_name="ProcessedPackets", statistic=Statistic.SUM, unit="Count"),
    ChartDefinition(row=4, metric_name="RejectedFlowCount_TCP", statistic=Statistic.SUM, unit="Count"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a chart: its label (load balancer, or a zone) and its points."""

    label: str
    points: list[Point]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart with its data; `period_s` is the period of every point."""

    definition: ChartDefinition
    period_s: int
    lines: list[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancerSeen:
    """A load balancer with metrics: its dimension (`gwy/name/id`), name, and newest period (epoch seconds)."""

    dimension: str
    name: str
    newest_s: int


def load_balancers(lake: Lake, *, start_s: float, end_s: float) -> list[LoadBalancerSeen]:
    """Load balancers with metrics in the range, ordered by name.  Raises `QueryFailed`."""
    raise AssertionError("filled in by the next change")


def charts(
    lake: Lake, *, load_balancer: str, start_s: float, end_s: float, period_s: int, by: Literal["", "zone"] = ""
) -> list[Chart]:
    """All of `CHARTS` for one load balancer, in order; `by="zone"` gives a line per zone.  Raises `QueryFailed`."""
    raise AssertionError("filled in by the next change")


def period_for(start_s: float, end_s: float, *, stored_period_s: int) -> int:
    """A period that gives a chart at most about 300 points: 1, 5, 10, 30, 60, 300, 900, 3600, 21600 or 86400 s."""
    raise AssertionError("filled in by the next change")
