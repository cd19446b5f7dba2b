from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import instants

#: 2026-11-23 10:00:00 UTC.
NOW_S = 1_795_428_000


def test_the_browsers_zone_counts_only_on_the_local_clock() -> None:
    assert instants.zone_of("utc", "Europe/Zurich") is UTC
    assert instants.date_and_time(NOW_S, instants.zone_of("local", "Europe/Zurich")) == "2026-11-23 11:00:00"
    assert instants.zone_of("local", None) is UTC
    assert instants.zone_of("local", "Mars/Olympus") is UTC


@pytest.mark.parametrize(("zone", "name"), [
    ("Europe/Zurich", "CET"), ("UTC", "UTC"), ("America/Sao_Paulo", "UTC-03:00"), ("Asia/Kathmandu", "UTC+05:45"),
])
def test_zone_names(zone: str, name: str) -> None:
    assert instants.zone_name(instants.zone_of("local", zone), NOW_S) == name


# From 1985 on, when the last of these zones had stopped to change.
@given(st.integers(500_000_000, 4_000_000_000), st.sampled_from(["UTC", "Asia/Kolkata", "America/Phoenix"]))
def test_a_wall_clock_without_changes_reads_back(time_s: int, zone_name: str) -> None:
    zone = instants.zone_of("local", zone_name)
    assert instants.from_wall_clock(instants.wall_clock(time_s, zone).isoformat(), zone) == time_s


def test_the_repeated_hour_of_autumn_is_its_first_run() -> None:
    zone = instants.zone_of("local", "Europe/Zurich")
    assert instants.from_wall_clock("2026-10-25 02:30:00", zone) == 1_792_888_200


def test_a_text_with_a_zone_needs_no_other() -> None:
    assert instants.from_wall_clock("2026-11-23T10:00:00+00:00", instants.zone_of("local", "Asia/Tokyo")) == NOW_S


def test_spans_name_the_day_once() -> None:
    assert instants.span(NOW_S, NOW_S + 60, UTC) == "2026-11-23 10:00:00 – 10:01:00 UTC"
    assert instants.span(NOW_S, NOW_S + 86_400, UTC) == "2026-11-23 10:00:00 – 2026-11-24 10:00:00 UTC"


def test_a_table_leaves_the_year_to_the_head() -> None:
    assert instants.day_and_time(NOW_S, UTC) == "11-23 10:00:00"


def test_no_instant_is_a_dash() -> None:
    assert instants.date_and_time(None, UTC) == instants.time_of_day(None, UTC) == "–"
