"""The AWS/GatewayELB metrics: the whole list, a worked period, and the rules of publication."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from forwarder.telemetry.gateway_metrics import RULES, GatewayMetrics, Hosts, Sample, Totals
from gatewatch.records.metric import Metric

FIXTURES = Path(__file__).parents[2] / "fixtures" / "metrics"
AWS = {entry["name"]: entry for entry in json.loads((FIXTURES / "gateway_elb.json").read_text(encoding="utf-8"))}
PERIOD = json.loads((FIXTURES / "period.json").read_text(encoding="utf-8"))


def sample_of(content: dict[str, Any]) -> Sample:
    totals, hosts = {}, {}
    for place, values in content["totals"].items():
        balancer, zone = place.split(" ")
        totals[balancer, zone] = Totals(**values)
    for place, values in content["hosts"].items():
        balancer, group, zone = place.split(" ")
        hosts[balancer, group, zone] = Hosts(**values)
    return Sample(time_s=content["time_s"], totals=totals, hosts=hosts)


def published(samples: list[Sample]) -> list[Metric]:
    made = GatewayMetrics(
        account_id="123456789012", region="us-east-1", start_s=PERIOD["start_s"], bucket_s=PERIOD["bucket_s"]
    )
    for sample in samples:
        made.add(sample)
    return made.close(PERIOD["start_s"] * 1000)


def test_the_list_units_and_rules_are_awss() -> None:
    assert {name: (rule.unit, rule.reporting.value) for name, rule in RULES.items()} == {
        name: (entry["unit"], entry["reporting"]) for name, entry in AWS.items()
    }


def test_a_worked_period() -> None:
    found: dict[str, dict[str, list[float]]] = {}
    for metric in published([sample_of(content) for content in PERIOD["samples"]]):
        value = metric.value
        zone = metric.dimensions.get("AvailabilityZone", "")
        found.setdefault(metric.metric_name, {})[zone] = [value.count, value.sum, value.min, value.max]
        assert metric.timestamp == PERIOD["start_s"] * 1000
        assert sorted(metric.dimensions) in AWS[metric.metric_name]["dimensionSets"]
    assert found.keys() == PERIOD["expected"].keys()
    for name, by_zone in PERIOD["expected"].items():
        assert found[name].keys() == by_zone.keys(), name
        for zone, expected in by_zone.items():
            assert found[name][zone] == pytest.approx(expected), (name, zone)


def test_without_traffic_only_what_aws_always_reports_is_published() -> None:
    quiet = Sample(time_s=PERIOD["start_s"] + 10, totals={("gwy/g/1", "us-east-1a"): Totals()}, hosts={})
    names = {metric.metric_name for metric in published([quiet])}
    assert names == {name for name, entry in AWS.items() if entry["reporting"] == "always"}


def test_a_short_last_bucket_makes_no_peak() -> None:
    burst = Sample(
        time_s=PERIOD["start_s"] + 0.1, totals={("gwy/g/1", "us-east-1a"): Totals(packets=50)}, hosts={}
    )
    (peak,) = {
        metric.value.max for metric in published([burst]) if metric.metric_name == "PeakPacketsPerSecond"
    }
    assert peak == 5


def test_hosts_of_no_zone_count_for_the_group_only() -> None:
    hosts = {("gwy/g/1", "targetgroup/t/2", ""): Hosts(healthy=1)}
    metrics = published([Sample(time_s=PERIOD["start_s"] + 10, totals={}, hosts=hosts)])
    assert {frozenset(metric.dimensions) for metric in metrics} == {frozenset({"LoadBalancer", "TargetGroup"})}


def test_a_period_without_samples_publishes_nothing() -> None:
    assert published([]) == []


def test_totals_that_fall_are_no_metric() -> None:
    with pytest.raises(AssertionError, match="never fall"):
        Totals(packets=9).since(Totals(packets=10))
    assert Totals(flows_active=1, packets=10).since(Totals(flows_active=5, packets=10)) == Totals(flows_active=1)
