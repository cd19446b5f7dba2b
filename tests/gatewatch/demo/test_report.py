"""The report's arithmetic: percentiles over rows, and when an outage was over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.demo.report import failover_s, percentile


def test_a_percentile_counts_rows_and_not_groups() -> None:
    assert percentile([(1.0, 98), (9.0, 1), (5.0, 1)], 0.5) == 1.0
    assert percentile([(1.0, 98), (9.0, 1), (5.0, 1)], 0.99) == 5.0
    assert percentile([(1.0, 98), (9.0, 1), (5.0, 1)], 1.0) == 9.0


def test_without_rows_there_is_no_percentile() -> None:
    assert percentile([], 0.5) is None


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 50)), min_size=1), st.floats(0.01, 1))
def test_at_least_the_share_of_rows_lies_at_or_below(values: list[tuple[float, int]], share: float) -> None:
    found = percentile(values, share)
    assert found is not None
    below = sum(rows for value, rows in values if round(value, 3) <= found)
    assert below >= share * sum(rows for _, rows in values) - 1e-6


def worked(begin_s: float, count: int) -> list[tuple[float, bool]]:
    return [(begin_s + 0.25 * index, True) for index in range(count)]


@pytest.mark.parametrize(
    ("connections", "expected"),
    [
        ([], None),
        ([(99.0, False)], None),
        (worked(100, 100), 0.0),
        ([(100.5, False), (104.0, True), (108.25, False), *worked(109, 100)], 8.25),
        ([(101.0, False), *worked(102, 100), (180.0, False)], 1.0),
    ],
    ids=[
        "no tries",
        "none after the death",
        "no failure",
        "last failure of the outage",
        "a later failure is another matter",
    ],
)
def test_failover_ends_with_the_last_failure_of_the_outage(
    connections: list[tuple[float, bool]], expected: float | None
) -> None:
    assert failover_s(connections, 100.0) == expected
