"""Definitions and their file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatewatch.settings import Settings
from queries.alarms.alarm import BadAlarm, default_alarm, load_alarms
from queries.alarms.evaluation import ComparisonOperator, TreatMissingData
from queries.metric_statistics import Statistic
from tests.queries.lake_builder import BALANCER, GROUP

TWO = Path(__file__).parents[2] / "fixtures" / "alarms" / "two.toml"


def load(text: str, folder: Path) -> None:
    path = folder / "alarms.toml"
    path.write_text(text, encoding="utf-8")
    load_alarms(Settings(alarms_file=str(path)))


def entry(**changes: str) -> str:
    keys = {
        "name": '"a"', "metric_name": '"m"', "statistic": '"Sum"', "period_s": "60", "threshold": "1",
        "comparison_operator": '"GreaterThanThreshold"', **changes,
    }
    return "[[alarm]]\n" + "\n".join(f"{key} = {value}" for key, value in keys.items() if value)


def test_the_default_alarm_watches_every_target_group() -> None:
    alarm = load_alarms(Settings(alarm_period_s=10, metrics_period_s=5))[0]
    assert (alarm.metric_name, alarm.statistic, alarm.threshold) == ("UnHealthyHostCount", Statistic.MAXIMUM, 0.0)
    assert (alarm.period_s, alarm.evaluation_periods, alarm.rule.datapoints_to_alarm) == (10, 1, 1)
    assert alarm.treat_missing_data is TreatMissingData.MISSING
    instance = alarm.instance({"LoadBalancer": BALANCER, "TargetGroup": GROUP})
    assert (instance.name, instance.for_each) == ("gatewatch-unhealthy-hosts-appliances", [])
    assert instance.dimensions["TargetGroup"] == GROUP


def test_the_default_period_is_not_finer_than_the_metrics() -> None:
    assert default_alarm(Settings(alarm_period_s=1, metrics_period_s=60)).period_s == 60


def test_a_for_each_alarm_covers_exactly_its_dimensions() -> None:
    alarm = default_alarm(Settings())
    assert alarm.covers("AWS/GatewayELB", "UnHealthyHostCount", ["TargetGroup", "LoadBalancer"])
    assert not alarm.covers("AWS/GatewayELB", "UnHealthyHostCount", ["TargetGroup", "LoadBalancer", "AvailabilityZone"])
    assert not alarm.covers("AWS/GatewayELB", "HealthyHostCount", ["TargetGroup", "LoadBalancer"])


def test_a_file_of_alarms() -> None:
    few, none = load_alarms(Settings(alarms_file=str(TWO)))
    assert (few.rule.evaluation_periods, few.rule.datapoints_to_alarm) == (3, 2)
    assert few.treat_missing_data is TreatMissingData.BREACHING
    assert none.comparison_operator is ComparisonOperator.LESS_OR_EQUAL
    assert (none.namespace, none.rule.datapoints_to_alarm, none.threshold) == ("AWS/GatewayELB", 1, 0.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[alarm", "is not TOML"),
        ("a = " + "9" * 5_000, "is not TOML"),
        ("a = " + "[" * 20_000, "is not TOML"),
        (entry(name=""), "missing required field `name`"),
        (entry(statistic='"p99"'), r"Invalid enum value 'p99'.*alarm\[0\].statistic"),
        (entry(perod_s="5"), "unknown field `perod_s`"),
        (entry(threshold='"high"'), "Expected `float`"),
        (entry(name='""'), "1 to 255 characters"),
        (entry(threshold="nan"), "threshold is nan; allowed: a number that is finite"),
        (entry(period_s="7"), r"alarm 1 \('a'\): period_s is 7; allowed: 1, 5, 10"),
        (entry(period_s="90"), "multiples of 60"),
        (entry(evaluation_periods="0"), "evaluation_periods is 0"),
        (entry(datapoints_to_alarm="2"), "datapoints_to_alarm is 2"),
        (entry(evaluation_periods="1441"), "over 86400 s"),
        (entry(for_each='["LoadBalancer"]', dimensions='{ LoadBalancer = "x" }'), "choose one"),
        (entry() + "\n" + entry(), "two alarms are named 'a'"),
    ],
)
def test_a_bad_file_names_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadAlarm, match=message):
        load(text, tmp_path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadAlarm, match="cannot be read"):
        load_alarms(Settings(alarms_file=str(tmp_path / "none.toml")))
