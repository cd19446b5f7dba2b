"""GetMetricStatistics over the metrics table."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.lake import Lake
from queries.metric_statistics import Point, Series, Statistic, StatisticSet, list_metrics, series, total
from tests.queries.lake_builder import BALANCER, GROUP, HOUR_S, metric, publish, unhealthy

ZONE = {"AvailabilityZone": "us-east-1a", "LoadBalancer": BALANCER}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    publish(tmp_path, "metrics", [
        metric(HOUR_S, "NewFlowCount", 3.0), metric(HOUR_S + 60, "NewFlowCount", 5.0),
        metric(HOUR_S + 60, "NewFlowCount", 4.0, dimensions=ZONE),
    ])
    publish(tmp_path, "metrics", [
        metric(HOUR_S + 180, "NewFlowCount", 1.0, sample_count=4.0, sum=10.0, maximum=7.0),
        unhealthy(HOUR_S, 1.0),
        metric(HOUR_S, "PacketsDropped", 2.0, namespace="Gatewatch", dimensions={"Reason": "no_target"}),
        metric(HOUR_S, "PacketsDropped", 9.0, namespace="Gatewatch", dimensions={}),
    ])
    return Lake(tmp_path)


def ask(lake: Lake, statistic: Statistic, period_s: int, **changes: object) -> Series:
    wanted = {
        "namespace": "AWS/GatewayELB", "metric_name": "NewFlowCount", "start_s": HOUR_S, "end_s": HOUR_S + 300,
        "dimensions": {"LoadBalancer": BALANCER}, **changes,
    }
    return series(lake, statistic=statistic, period_s=period_s, **wanted)  # type: ignore[arg-type]


def values(answer: Series) -> list[tuple[int, float]]:
    return [(point.timestamp_s - HOUR_S, point.value) for point in answer.points]


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        (Statistic.SUM, [(0, 8.0), (120, 10.0)]),
        (Statistic.SAMPLE_COUNT, [(0, 2.0), (120, 4.0)]),
        (Statistic.AVERAGE, [(0, 4.0), (120, 2.5)]),
        (Statistic.MINIMUM, [(0, 3.0), (120, 1.0)]),
        (Statistic.MAXIMUM, [(0, 5.0), (120, 7.0)]),
    ],
)
def test_statistic_sets_are_merged_into_aligned_periods(
    lake: Lake, statistic: Statistic, expected: list[tuple[int, float]]
) -> None:
    assert values(ask(lake, statistic, 120)) == expected


def test_the_start_is_rounded_down_to_its_period_and_the_end_is_not_included(lake: Lake) -> None:
    assert values(ask(lake, Statistic.SUM, 60, start_s=HOUR_S + 70, end_s=HOUR_S + 180)) == [(60, 5.0)]


def test_dimensions_are_matched_exactly(lake: Lake) -> None:
    assert values(ask(lake, Statistic.SUM, 60, dimensions=ZONE)) == [(60, 4.0)]
    assert values(ask(lake, Statistic.SUM, 60, dimensions={})) == []
    own = {"namespace": "Gatewatch", "metric_name": "PacketsDropped"}
    assert values(ask(lake, Statistic.SUM, 60, dimensions={"Reason": "no_target"}, **own)) == [(0, 2.0)]
    assert values(ask(lake, Statistic.SUM, 60, dimensions={}, **own)) == [(0, 9.0)]


def test_a_finer_period_than_stored_is_said_so(lake: Lake) -> None:
    fine = ask(lake, Statistic.SUM, 10)
    assert fine.stored_period_s == 60
    assert "every 60 s" in fine.note
    assert values(fine) == [(0, 3.0), (60, 5.0), (180, 10.0)]
    assert ask(lake, Statistic.SUM, 60).note == ""


def test_no_data_has_no_points(lake: Lake) -> None:
    empty = ask(lake, Statistic.SUM, 60, start_s=0, end_s=60)
    assert (empty.points, empty.unit, empty.stored_period_s) == ([], "", None)


@pytest.mark.parametrize("changes", [{"period_s": 0}, {"period_s": 60, "end_s": HOUR_S}])
def test_an_impossible_range_is_refused(lake: Lake, changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="1 s or more"):
        ask(lake, Statistic.SUM, **changes)  # type: ignore[arg-type]


def test_metrics_are_listed_with_their_dimensions(lake: Lake) -> None:
    listed = list_metrics(lake, start_s=HOUR_S, end_s=HOUR_S + 300)
    assert [(each.metric_name, each.dimensions, each.newest_s - HOUR_S) for each in listed] == [
        ("NewFlowCount", ZONE, 60), ("NewFlowCount", {"LoadBalancer": BALANCER}, 180),
        ("UnHealthyHostCount", {"LoadBalancer": BALANCER, "TargetGroup": GROUP}, 0),
        ("PacketsDropped", {"Reason": "no_target"}, 0), ("PacketsDropped", {}, 0),
    ]
    assert {each.namespace for each in list_metrics(lake, start_s=0, end_s=HOUR_S + 300, namespace="Gatewatch")} == {
        "Gatewatch"
    }


def test_a_total_adds_what_is_there() -> None:
    one = [Point(timestamp_s=0, value=1.0), Point(timestamp_s=60, value=2.0)]
    two = [Point(timestamp_s=60, value=5.0), Point(timestamp_s=120, value=7.0)]
    assert [(point.timestamp_s, point.value) for point in total([one, two])] == [(0, 1.0), (60, 7.0), (120, 7.0)]


SAMPLES = st.lists(st.integers(min_value=-1_000, max_value=1_000), min_size=1, max_size=20)


def set_of(samples: list[int]) -> StatisticSet:
    return StatisticSet(
        count=float(len(samples)), sum=float(sum(samples)), min=float(min(samples)), max=float(max(samples))
    )


@given(SAMPLES, SAMPLES)
def test_merging_sets_is_the_set_of_all_samples(one: list[int], two: list[int]) -> None:
    assert set_of(one) | set_of(two) == set_of(one + two)
    assert min(one) <= set_of(one).value(Statistic.AVERAGE) <= max(one)
