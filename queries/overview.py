"""The load balancer's charts, in the arrangement of CloudWatch's automatic dashboard for Gateway Load Balancers.

Host counts are published with TargetGroup and not for the load balancer alone, so AWS's own dashboard can stay empty;
here they are summed over the target groups.  A chart without points is a load balancer without traffic in the range:
most metrics are only reported when not zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gatewatch.records.metric import GATEWAY_NAMESPACE
from queries.lake import Lake
from queries.metric_statistics import Merged, Point, Statistic, list_metrics, merged, total

#: A chart has about this many points at most.
POINTS_MAX = 300

_PERIODS_S = (1, 5, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400)


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
    ChartDefinition(
        row=1, metric_name="HealthyHostCount", statistic=Statistic.AVERAGE, unit="Count", per_target_group=True
    ),
    ChartDefinition(
        row=1, metric_name="UnHealthyHostCount", statistic=Statistic.AVERAGE, unit="Count", per_target_group=True
    ),
    # AWS's dashboard asks for Sum here, which counts a flow once for each sample; Average is the number of flows.
    ChartDefinition(row=1, metric_name="ActiveFlowCount", statistic=Statistic.AVERAGE, unit="Count"),
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
    newest: dict[str, int] = {}
    for metric in list_metrics(lake, start_s=start_s, end_s=end_s, namespace=GATEWAY_NAMESPACE):
        dimension = metric.dimensions.get("LoadBalancer", "")
        if dimension:
            newest[dimension] = max(newest.get(dimension, 0), metric.newest_s)
    seen = [LoadBalancerSeen(dimension=each, name=name_of(each), newest_s=time_s) for each, time_s in newest.items()]
    return sorted(seen, key=lambda each: (each.name, each.dimension))


def name_of(dimension: str) -> str:
    """The name inside `gwy/name/id` or `targetgroup/name/id`; the dimension itself when it is something else."""
    parts = dimension.split("/")
    return parts[1] if len(parts) == 3 else dimension


def charts(
    lake: Lake, *, load_balancer: str, start_s: float, end_s: float, period_s: int, by: Literal["", "zone"] = ""
) -> list[Chart]:
    """All of `CHARTS` for one load balancer, in order; `by="zone"` gives a line per zone.  Raises `QueryFailed`."""
    found = merged(
        lake, namespace=GATEWAY_NAMESPACE, metric_names=[each.metric_name for each in CHARTS], period_s=period_s,
        start_s=start_s, end_s=end_s, load_balancer=load_balancer,
    )
    by_zone = by == "zone"
    return [Chart(definition=each, period_s=period_s, lines=_lines(each, found, by_zone=by_zone)) for each in CHARTS]


def _lines(definition: ChartDefinition, found: list[Merged], *, by_zone: bool) -> list[Line]:
    names = {"LoadBalancer"} | ({"TargetGroup"} if definition.per_target_group else set())
    names |= {"AvailabilityZone"} if by_zone else set()
    parts: dict[str, list[list[Point]]] = {}
    for one in found:
        if one.metric_name == definition.metric_name and set(one.dimensions) == names:
            label = one.dimensions["AvailabilityZone"] if by_zone else name_of(one.dimensions["LoadBalancer"])
            parts.setdefault(label, []).append(one.points(definition.statistic))
    return [Line(label=label, points=total(points)) for label, points in sorted(parts.items())]


def period_for(start_s: float, end_s: float, *, stored_period_s: int) -> int:
    """A period that gives a chart at most about 300 points: 1, 5, 10, 30, 60, 300, 900, 3600, 21600 or 86400 s."""
    enough_s = (end_s - start_s) / POINTS_MAX
    return next((period for period in _PERIODS_S if period >= stored_period_s and period >= enough_s), _PERIODS_S[-1])
