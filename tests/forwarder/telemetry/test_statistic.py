"""Statistic sets."""

from __future__ import annotations

import pytest

from forwarder.telemetry.statistic import statistics_of
from gatewatch.records.metric import StatisticSet


def test_count_sum_and_extremes() -> None:
    assert statistics_of([3, 1, 2]) == StatisticSet(count=3, sum=6, min=1, max=3)


def test_nothing_observed_has_no_statistics() -> None:
    with pytest.raises(ValueError, match="empty"):
        statistics_of([])
