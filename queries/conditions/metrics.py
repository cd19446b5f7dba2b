"""Conditions as metrics of namespace `Gatewatch`: whether each held in a period, so that alarms and charts can ask.

`ConditionActive` (dimension `Condition`) is 1 in a sample in which the condition held and 0 in one in which it did not.  All
are published every period: an alarm without data would not know an outage from a silence.  No I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable

from gatewatch.records.metric import OWN_NAMESPACE, Metric, StatisticSet
from queries.conditions.condition import CONDITIONS, Condition

CONDITION_METRIC = "ConditionActive"


class ConditionMetrics:
    """Collects samples, and gives a period's metrics once the next has begun."""

    def __init__(self, *, account_id: str, region: str, period_s: int) -> None:
        self._account_id, self._region, self._period_s = account_id, region, period_s
        self._period_start_s: int | None = None
        self._samples = 0
        self._active = dict.fromkeys(CONDITIONS, 0)

    def take(self, conditions: Iterable[Condition], now_s: float) -> list[Metric]:
        """Note what holds now (epoch seconds); the metrics of the period that is over with this, else nothing."""
        start_s = int(now_s // self._period_s) * self._period_s
        closed = self._close() if self._period_start_s not in (None, start_s) else []
        self._period_start_s = start_s
        self._samples += 1
        for code in {condition.code for condition in conditions}:
            self._active[code] += 1
        return closed

    def _close(self) -> list[Metric]:
        metrics = [self._metric(code, active) for code, active in self._active.items()]
        self._samples = 0
        self._active = dict.fromkeys(CONDITIONS, 0)
        return metrics

    def _metric(self, code: str, active: int) -> Metric:
        assert self._period_start_s is not None
        assert 0 <= active <= self._samples
        value = StatisticSet(
            count=self._samples, sum=active, min=int(active == self._samples), max=int(active > 0),
        )
        return Metric(
            account_id=self._account_id, region=self._region, namespace=OWN_NAMESPACE, metric_name=CONDITION_METRIC,
            dimensions={"Condition": code}, timestamp=self._period_start_s * 1000, value=value, unit="Count",
        )
