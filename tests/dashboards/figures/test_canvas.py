from __future__ import annotations

from datetime import UTC

import pytest
import pytz
from hypothesis import given
from hypothesis import strategies as st

from dashboards.figures import canvas
from dashboards.theme import DARK, LIGHT
from dashboards.time_range import Window

WINDOW = Window(start_s=1_795_428_000, end_s=1_795_428_900, live=True)


@given(st.floats(1e-9, 1e15))
def test_ticks_reach_the_maximum_in_at_most_six_lines(maximum: float) -> None:
    values = canvas.ticks(maximum)
    assert values[0] == 0
    assert maximum * (1 - 1e-6) <= values[-1] <= maximum * 2
    assert 2 <= len(values) <= 6


@given(st.integers(1, 10**9))
def test_ticks_of_whole_things_are_whole(maximum: int) -> None:
    assert all(float(value).is_integer() for value in canvas.ticks(maximum, whole=True))


def test_ticks_of_nothing() -> None:
    assert canvas.ticks(0) == [0.0, 1.0]


def test_the_three_pictures_differ_in_words_and_colour() -> None:
    pictures = [canvas.no_data(LIGHT), canvas.waiting(LIGHT, 1_795_428_000, UTC), canvas.failed(LIGHT, "broken file")]
    assert [figure.layout.meta["picture"] for figure in pictures] == ["no data", "late data", "query failed"]
    assert len({figure.layout.annotations[0].font.color for figure in pictures}) == 3
    assert "2026-11-23 10:00:00" in pictures[1].layout.annotations[0].text
    assert "broken file" in pictures[2].layout.annotations[0].text


def test_a_message_is_shown_as_text_and_cut_to_size() -> None:
    figure = canvas.failed(DARK, "<b>bold</b> & " + "word " * 100)
    text = figure.layout.annotations[0].text
    assert "&lt;b&gt;bold&lt;/b&gt; &amp;" in text
    assert text.count("<br>") == 4
    assert text.endswith("…")


def test_late_data_is_shaded_from_the_newest_row_to_the_end() -> None:
    figure = canvas.canvas(LIGHT)
    canvas.mark_late(figure, LIGHT, WINDOW, WINDOW.end_s - 120, UTC)
    shape = figure.layout.shapes[0]
    assert (str(shape.x0), str(shape.x1)) == ("2026-11-23 10:13:00", "2026-11-23 10:15:00")
    assert figure.layout.annotations[0].text == "late: nothing after 10:13:00"
    assert figure.layout.meta["picture"] == "late data"


@pytest.mark.parametrize(("span_s", "wanted"), [(300, "%H:%M:%S"), (3600, "%H:%M"), (7 * 86_400, "%b %d\n%H:%M")])
def test_the_time_axis_says_as_much_as_its_span_needs(span_s: int, wanted: str) -> None:
    window = Window(start_s=0, end_s=span_s, live=False)
    axis = canvas.time_axis(LIGHT, window, UTC)
    assert axis["tickformat"] == wanted


@pytest.mark.parametrize(("span_s", "ticks"), [
    (300, ["10:11:00", "10:12:00", "10:13:00", "10:14:00", "10:15:00"]),
    (900, ["10:05:00", "10:10:00", "10:15:00"]),
    (3600, ["09:30:00", "09:45:00", "10:00:00", "10:15:00"]),
    (43_200, ["00:00:00", "03:00:00", "06:00:00", "09:00:00"]),
])
def test_charts_of_one_range_have_the_same_round_times(span_s: int, ticks: list[str]) -> None:
    window = Window(start_s=WINDOW.end_s - span_s + 5, end_s=WINDOW.end_s + 5, live=True)
    assert [f"{place:%H:%M:%S}" for place in canvas.time_ticks(window, UTC)] == ticks


def test_round_times_are_those_of_the_readers_clock() -> None:
    window = Window(start_s=WINDOW.end_s - 86_400, end_s=WINDOW.end_s, live=True)
    ticks = canvas.time_ticks(window, pytz.timezone("Asia/Kolkata"))
    assert [place.hour for place in ticks] == [18, 0, 6, 12]
    assert all(place.minute == 0 for place in ticks)


@given(start_s=st.integers(0, 2**31), span_s=st.integers(10, 455 * 86_400))
def test_there_are_always_a_few_times_inside_the_range(start_s: int, span_s: int) -> None:
    window = Window(start_s=start_s, end_s=start_s + span_s, live=False)
    ticks = canvas.time_ticks(window, UTC)
    assert 1 <= len(ticks) <= canvas.TIME_TICKS_MAX
    assert all(start_s <= place.replace(tzinfo=UTC).timestamp() <= start_s + span_s for place in ticks)


def test_the_value_axis_is_labelled_in_peoples_units() -> None:
    axis = canvas.value_axis(LIGHT, 3_900_000, "Bytes")
    assert axis["ticktext"] == ["0 B", "1 MB", "2 MB", "3 MB", "4 MB"]
