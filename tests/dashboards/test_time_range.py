from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.time_range import (
    SPAN_S_MAX,
    SPAN_S_MIN,
    Absolute,
    BadTimeRange,
    Relative,
    TimeRange,
    from_text,
    in_words,
    to_text,
    window_of,
)

ranges: st.SearchStrategy[TimeRange] = st.one_of(
    st.integers(SPAN_S_MIN, SPAN_S_MAX).map(lambda span_s: Relative(span_s=span_s)),
    st.tuples(st.integers(0, 4_000_000_000), st.integers(SPAN_S_MIN, SPAN_S_MAX)).map(
        lambda pair: Absolute(start_s=pair[0], end_s=pair[0] + pair[1])),
)


@given(ranges)
def test_text_reads_back_as_the_same_range(one: TimeRange) -> None:
    assert from_text(to_text(one)) == one


@given(st.text(max_size=60))
def test_any_text_is_a_range_or_a_sentence_about_it(text: str) -> None:
    try:
        found = from_text(text)
    except BadTimeRange:
        return
    assert from_text(to_text(found)) == found


@pytest.mark.parametrize(("text", "span_s"), [("90s", 90), ("15m", 900), ("24h", 86_400), ("1d", 86_400)])
def test_relative_texts(text: str, span_s: int) -> None:
    assert from_text(text) == Relative(span_s=span_s)


def test_the_largest_whole_unit_is_written() -> None:
    assert [to_text(Relative(span_s=span_s)) for span_s in (86_400, 129_600, 900, 90)] == ["1d", "36h", "15m", "90s"]


@pytest.mark.parametrize("text", [
    "", "15", "m", "0m", "-5m", "1w", "999999999d", "2026-11-23T10:00:00Z", "2026-11-23/2026-11-24",
    "2026-11-23T11:00:00Z/2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z/2026-11-23T10:00:00Z", "٥m",
])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(BadTimeRange):
        from_text(text)


def test_pages_opened_within_one_tick_ask_for_the_same_window() -> None:
    windows = {window_of(Relative(span_s=900), now_s=1000.0 + part / 10, tick_s=10) for part in range(100)}
    assert len(windows) == 1
    window = windows.pop()
    assert (window.start_s, window.end_s, window.live) == (110, 1010, True)


def test_a_window_reaches_now() -> None:
    for now_s in (1000.0, 1000.9, 1009.99):
        assert window_of(Relative(span_s=60), now_s=now_s, tick_s=1).end_s > now_s


def test_an_absolute_range_is_a_window_that_is_not_live() -> None:
    window = window_of(Absolute(start_s=100, end_s=200), now_s=1e9, tick_s=10)
    assert (window.start_s, window.end_s, window.live, window.span_s) == (100, 200, False, 100)


def test_words() -> None:
    assert in_words(Relative(span_s=900)) == "last 15 minutes"
    assert in_words(Relative(span_s=3600)) == "last hour"
    assert in_words(Absolute(start_s=0, end_s=3600)) == "1970-01-01T00:00:00Z to 1970-01-01T01:00:00Z"
