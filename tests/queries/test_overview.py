"""The load balancer's charts."""

from __future__ import annotations

from pathlib import Path

import pytest

from queries.lake import Lake
from queries.overview import CHARTS, POINTS_MAX, charts, load_balancers, name_of, period_for
from tests.queries.lake_builder import BALANCER, GROUP, HOUR_S, metric, publish

OTHER = "gwy/other/1111111111111111"
OTHER_GROUP = "targetgroup/more/2222222222222222"


def hosts(value: float, group: str, **zone: str) -> dict[str, object]:
    return metric(
        HOUR_S, "HealthyHostCount", value, dimensions={"LoadBalancer": BALANCER, "TargetGroup": group, **zone}
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    publish(tmp_path, "metrics", [
        hosts(2.0, GROUP), hosts(3.0, OTHER_GROUP), hosts(1.0, GROUP, AvailabilityZone="us-east-1a"),
        hosts(1.0, GROUP, AvailabilityZone="us-east-1b"),
        metric(HOUR_S, "NewFlowCount", 4.0), metric(HOUR_S + 5, "NewFlowCount", 6.0),
        metric(HOUR_S, "NewFlowCount", 4.0, dimensions={"LoadBalancer": BALANCER, "AvailabilityZone": "us-east-1a"}),
        metric(HOUR_S, "NewFlowCount", 99.0, dimensions={"LoadBalancer": OTHER}),
    ])
    return Lake(tmp_path)


def lines(lake: Lake, name: str, **options: str) -> dict[str, list[float]]:
    found = charts(lake, load_balancer=BALANCER, start_s=HOUR_S, end_s=HOUR_S + 60, period_s=60, **options)  # type: ignore[arg-type]
    chart = next(each for each in found if each.definition.metric_name == name)
    return {line.label: [point.value for point in line.points] for line in chart.lines}


def test_host_counts_are_summed_over_target_groups(lake: Lake) -> None:
    assert lines(lake, "HealthyHostCount") == {"inspection": [5.0]}


def test_a_chart_has_the_load_balancers_own_series_or_its_zones(lake: Lake) -> None:
    assert lines(lake, "NewFlowCount") == {"inspection": [10.0]}
    assert lines(lake, "NewFlowCount", by="zone") == {"us-east-1a": [4.0]}
    assert lines(lake, "HealthyHostCount", by="zone") == {"us-east-1a": [1.0], "us-east-1b": [1.0]}


def test_every_chart_is_there_with_or_without_data(lake: Lake) -> None:
    found = charts(lake, load_balancer=BALANCER, start_s=HOUR_S, end_s=HOUR_S + 60, period_s=60)
    assert [chart.definition for chart in found] == list(CHARTS)
    assert lines(lake, "ProcessedBytes") == {}


def test_load_balancers_are_those_with_metrics(lake: Lake) -> None:
    assert [(each.name, each.dimension) for each in load_balancers(lake, start_s=HOUR_S, end_s=HOUR_S + 60)] == [
        ("inspection", BALANCER), ("other", OTHER),
    ]
    assert load_balancers(lake, start_s=0, end_s=1) == []


def test_a_name_is_what_stands_between_the_slashes() -> None:
    assert name_of(GROUP) == "appliances"
    assert name_of("something else") == "something else"


@pytest.mark.parametrize(
    ("span_s", "stored_s", "period_s"), [(60, 1, 1), (3_600, 1, 30), (3_600, 60, 60), (604_800, 60, 3_600), (1e9, 1, 86_400)]
)
def test_a_chart_has_a_bounded_number_of_points(span_s: float, stored_s: int, period_s: int) -> None:
    assert period_for(0, span_s, stored_period_s=stored_s) == period_s
    assert span_s / period_s <= POINTS_MAX or period_s == 86_400
