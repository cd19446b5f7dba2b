"""Conditions as metrics: whether each held in a period."""

from __future__ import annotations

from gatewatch.records.metric import Metric
from queries.conditions.condition import CONDITIONS, Condition
from queries.conditions.metrics import ConditionMetrics

NO_TARGET = Condition(code="no_target", detail="x")


def made() -> ConditionMetrics:
    return ConditionMetrics(account_id="123456789012", region="us-east-1", period_s=5)


def of(metrics: list[Metric], code: str) -> tuple[float, float, float, float, int]:
    [one] = [metric for metric in metrics if metric.dimensions == {"Condition": code}]
    assert (one.namespace, one.metric_name, one.unit) == ("Gatewatch", "ConditionActive", "Count")
    return one.value.count, one.value.sum, one.value.min, one.value.max, one.timestamp


def test_a_period_is_told_when_the_next_begins() -> None:
    metrics = made()
    assert metrics.take([], 10.0) == []
    assert metrics.take([NO_TARGET, NO_TARGET], 12.0) == []
    closed = metrics.take([NO_TARGET], 15.0)
    assert of(closed, "no_target") == (2, 1, 0, 1, 10_000)
    assert of(closed, "no_listener") == (2, 0, 0, 0, 10_000)
    assert len(closed) == len(CONDITIONS)
    assert of(metrics.take([], 20.5), "no_target") == (1, 1, 1, 1, 15_000)


def test_a_clock_set_back_closes_the_period_at_hand() -> None:
    metrics = made()
    metrics.take([NO_TARGET], 100.0)
    assert of(metrics.take([], 50.0), "no_target") == (1, 1, 1, 1, 100_000)
