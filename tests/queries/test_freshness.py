"""No data, late data, fresh data."""

from __future__ import annotations

from pathlib import Path

import pytest

from queries.freshness import FreshnessState, newest
from queries.lake import Lake
from tests.queries.lake_builder import HOUR_S, flow, publish, unhealthy


@pytest.mark.parametrize(
    ("age_s", "state"), [(3.0, FreshnessState.FRESH), (10.0, FreshnessState.LATE), (90_000.0, FreshnessState.LATE)]
)
def test_a_table_is_late_when_its_newest_row_is_older_than_expected(
    tmp_path: Path, age_s: float, state: FreshnessState
) -> None:
    publish(tmp_path, "metrics", [unhealthy(HOUR_S - 60, 0.0), unhealthy(HOUR_S, 0.0)])
    answer = newest(Lake(tmp_path), "metrics", now_s=HOUR_S + age_s, expected_s=5.0)
    assert (answer.state, answer.newest_s, answer.age_s) == (state, HOUR_S, age_s)


def test_an_empty_table_has_no_data(tmp_path: Path) -> None:
    answer = newest(Lake(tmp_path), "metrics", now_s=HOUR_S, expected_s=5.0)
    assert (answer.state, answer.newest_s, answer.age_s) == (FreshnessState.NO_DATA, None, None)


def test_a_flow_record_is_as_new_as_its_end(tmp_path: Path) -> None:
    publish(tmp_path, "flow_logs", [flow(HOUR_S, end=HOUR_S + 59)])
    assert newest(Lake(tmp_path), "flow_logs", now_s=HOUR_S + 60, expected_s=5.0).age_s == 1.0


def test_there_are_only_the_lakes_tables(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no table"):
        newest(Lake(tmp_path), "nothing", now_s=HOUR_S, expected_s=5.0)
