"""Statistic sets put together from observations, as CloudWatch wants them."""

from __future__ import annotations

from collections.abc import Sequence

from gatewatch.records.metric import StatisticSet


def statistics_of(observations: Sequence[float]) -> StatisticSet:
    """The set of one or more observations; an empty sequence is a caller's mistake."""
    return StatisticSet(
        count=float(len(observations)),
        sum=float(sum(observations)),
        min=float(min(observations)),
        max=float(max(observations)),
    )
