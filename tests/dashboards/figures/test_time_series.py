from __future__ import annotations

from datetime import UTC
from typing import Any

import plotly.graph_objects as go

from dashboards.figures.time_series import Threshold, Trace, time_series, with_gaps
from dashboards.instants import zone_of
from dashboards.theme import DARK, LIGHT
from dashboards.time_range import Window
from queries.metric_statistics import Point

START_S = 1_795_428_000
WINDOW = Window(start_s=START_S, end_s=START_S + 600, live=True)


def points(*values: tuple[int, float]) -> list[Point]:
    return [Point(timestamp_s=START_S + offset_s, value=value) for offset_s, value in values]


def figure(*traces: Trace, **more: Any) -> go.Figure:
    given: dict[str, Any] = {"unit": "Bytes", "period_s": 60, "window": WINDOW, "zone": UTC, "palette": LIGHT, **more}
    return time_series(list(traces), **given)


def test_a_line_has_its_points_and_their_text() -> None:
    made = figure(Trace(label="inspection", points=points((0, 0.0), (60, 1_460.0))))
    line = made.data[0]
    assert list(line.y) == [0.0, 1_460.0]
    assert [str(each) for each in line.x] == ["2026-11-23 10:00:00", "2026-11-23 10:01:00"]
    assert list(line.text) == ["0 B", "1.46 KB"]
    assert made.layout.meta["picture"] == "data"


def test_a_label_is_shown_as_it_is_and_not_as_markup() -> None:
    assert figure(Trace(label="<b>x", points=points((0, 1.0)))).data[0].name == "&lt;b&gt;x"


def test_times_are_the_readers() -> None:
    made = figure(Trace(label="x", points=points((0, 1.0))), zone=zone_of("local", "Asia/Tokyo"))
    assert str(made.data[0].x[0]) == "2026-11-23 19:00:00"


def test_a_missing_period_breaks_the_line() -> None:
    spaced = with_gaps(points((0, 1.0), (60, 2.0), (240, 3.0)), 60)
    assert spaced == [(START_S, 1.0), (START_S + 60, 2.0), (START_S + 120, None), (START_S + 240, 3.0)]


def test_only_a_lonely_point_gets_a_dot() -> None:
    made = figure(Trace(label="x", points=points((0, 1.0), (60, 2.0), (300, 3.0))))
    assert list(made.data[0].marker.size) == [0, 0, 0, 5]


def test_a_zone_each_has_a_colour_and_a_legend() -> None:
    made = figure(Trace(label="a", points=points((0, 1.0))), Trace(label="b", points=points((0, 2.0))), filled=True)
    assert [trace.line.color for trace in made.data] == list(LIGHT.series[:2])
    assert made.layout.showlegend
    assert [trace.fill for trace in made.data] == [None, None]


def test_more_lines_than_colours_are_drawn_all_the_same() -> None:
    many = [Trace(label=str(number), points=points((0, 1.0))) for number in range(len(LIGHT.series) * 2 + 1)]
    assert len(figure(*many).data) == len(many)


def test_the_threshold_is_a_red_line_within_the_axis() -> None:
    made = figure(Trace(label="x", points=points((0, 1.0))), unit="Count", palette=DARK,
                  threshold=Threshold(value=3.0, label="≥"))
    line = made.layout.shapes[0]
    assert (line.y0, line.y1, line.line.color) == (3.0, 3.0, DARK.red)
    assert made.layout.annotations[0].text == "≥ 3"
    assert made.layout.yaxis.range[1] > 3.0


def test_a_threshold_at_zero_is_not_hidden_by_the_axis() -> None:
    made = figure(Trace(label="x", points=points((0, 1.0))), threshold=Threshold(value=0.0, label=">"))
    assert made.layout.yaxis.range[0] < 0


def test_no_points_are_no_data_and_late_only_if_everything_ended_before() -> None:
    empty = Trace(label="x", points=[])
    assert figure(empty).layout.meta["picture"] == "no data"
    assert figure(empty, late_since_s=float(START_S - 60)).layout.meta["picture"] == "late data"
    inside = figure(empty, late_since_s=float(START_S + 60))
    assert inside.layout.meta["picture"] == "no data"
    assert "up to 10:01:00" in inside.layout.annotations[0].text


def test_points_that_stop_are_late_data() -> None:
    made = figure(Trace(label="x", points=points((0, 1.0))), late_since_s=float(START_S + 60))
    assert made.layout.meta["picture"] == "late data"
    assert len(made.data) == 1
