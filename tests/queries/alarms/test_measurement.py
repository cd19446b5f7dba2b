"""Datapoints of alarms from the lake."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gatewatch.settings import Settings
from queries.alarms.alarm import AlarmEntry, default_alarm
from queries.alarms.measurement import Clock, measure
from queries.lake import Lake
from queries.metric_statistics import Statistic
from tests.queries.lake_builder import BALANCER, GROUP, HOUR_S, publish, unhealthy

TEMPLATE = default_alarm(Settings(alarm_period_s=1, metrics_period_s=1))
ALARM = TEMPLATE.instance({"LoadBalancer": BALANCER, "TargetGroup": GROUP})


def values(lake: Lake, alarm: AlarmEntry, now_s: float, metrics_period_s: int = 1) -> list[tuple[int, float | None]]:
    clock = Clock(now_s=HOUR_S + now_s, metrics_period_s=metrics_period_s, arrival_s=3.0)
    points = measure(lake, [alarm], clock).datapoints(alarm, clock)
    return [(point.start_s - HOUR_S, point.value) for point in points]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    publish(tmp_path, "metrics", [unhealthy(HOUR_S + second, float(second)) for second in range(10)])
    return Lake(tmp_path)


def test_a_period_is_judged_as_soon_as_its_row_is_there(lake: Lake) -> None:
    assert values(lake, ALARM, 10.1) == [(7, 7.0), (8, 8.0), (9, 9.0)]


def test_a_row_under_way_is_not_missing_yet(lake: Lake) -> None:
    assert values(lake, ALARM, 12.9) == [(7, 7.0), (8, 8.0), (9, 9.0)]
    assert values(lake, ALARM, 14.0) == [(8, 8.0), (9, 9.0), (10, None)]
    assert values(lake, ALARM, 30.0) == [(24, None), (25, None), (26, None)]


def test_a_coarse_period_waits_for_its_last_row(tmp_path: Path) -> None:
    publish(tmp_path, "metrics", [unhealthy(HOUR_S + second, float(second)) for second in range(59)])
    lake = Lake(tmp_path)
    minute = msgspec.structs.replace(ALARM, period_s=60, statistic=Statistic.SAMPLE_COUNT)
    assert values(lake, minute, 60.5)[-1] == (-60, None)
    publish(tmp_path, "metrics", [unhealthy(HOUR_S + 59, 59.0)])
    assert values(lake, minute, 60.5)[-1] == (0, 60.0)


def test_a_window_slides_over_whole_minutes(tmp_path: Path) -> None:
    publish(tmp_path, "metrics", [unhealthy(HOUR_S + 60 * minute, 1.0) for minute in range(10)])
    wide = msgspec.structs.replace(ALARM, period_s=300, statistic=Statistic.SUM)
    assert values(Lake(tmp_path), wide, 420.5, metrics_period_s=60) == [(-480, None), (-180, 2.0), (120, 5.0)]


def test_series_that_a_for_each_alarm_stands_for(tmp_path: Path) -> None:
    publish(tmp_path, "metrics", [
        unhealthy(HOUR_S + 5, 0.0), unhealthy(HOUR_S + 4, 0.0, "targetgroup/other/1"), unhealthy(HOUR_S - 900, 0.0, "old/1/1"),
    ])
    clock = Clock(now_s=HOUR_S + 6.1, metrics_period_s=1, arrival_s=3.0)
    found = measure(Lake(tmp_path), [TEMPLATE], clock).series_of(TEMPLATE)
    assert [each.dimensions["TargetGroup"] for each in found] == ["targetgroup/other/1", GROUP]


def test_an_empty_lake_has_only_missing_datapoints(tmp_path: Path) -> None:
    assert [value for _, value in values(Lake(tmp_path), ALARM, 60.0)] == [None, None, None]
