"""Statistic sets that no observations can have are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.records.metric import StatisticSet


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=50))
def test_what_was_observed_is_never_refused(observed: list[float]) -> None:
    StatisticSet(count=len(observed), sum=sum(observed), min=min(observed), max=max(observed))


@pytest.mark.parametrize(("values", "message"), [
    ((-1, 0, 0, 0), "count is below 0"), ((1, 1, 2, 1), "min is above max"), ((2, 7, 1, 3), "sum is not between"),
    ((1, float("inf"), 0, 0), "not finite"), ((1, float("nan"), 0, 0), "not finite"),
])
def test_what_cannot_have_been_observed_is(values: tuple[float, float, float, float], message: str) -> None:
    count, total, low, high = values
    with pytest.raises(ValueError, match=message):
        StatisticSet(count=count, sum=total, min=low, max=high)
