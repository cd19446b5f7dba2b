"""Lines over time: a metric's statistic for each period, as CloudWatch draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

import plotly.graph_objects as go

from dashboards import amounts, instants
from dashboards.figures import canvas
from dashboards.theme import Palette
from dashboards.time_range import Window
from queries.metric_statistics import Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A line: its name, points in order of time, and its colour (None: the next of the series colours)."""

    label: str
    points: Sequence[Point]
    colour: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A horizontal line that an alarm compares with."""

    value: float
    label: str


def time_series(
    traces: Sequence[Trace], *, unit: str, period_s: int, window: Window, zone: tzinfo, palette: Palette,
    late_since_s: float | None = None, threshold: Threshold | None = None, filled: bool = False, nothing: str = "",
) -> go.Figure:
    """Draw the lines.  A period without a point is a gap, since most metrics are reported only when not zero.

    `late_since_s` marks where newest data ends.  Without any point the picture is "no data", or "late data";
    `nothing` is what is known about why.
    """
    if not any(trace.points for trace in traces) and threshold is None:
        return _nothing(window, zone, palette, late_since_s, nothing)
    figure = canvas.canvas(palette)
    colours = iter(list(palette.series) * (1 + len(traces) // len(palette.series)))
    for trace in traces:
        figure.add_trace(_line(trace, trace.colour or next(colours), unit, period_s, zone, filled and len(traces) == 1))
    values = [point.value for trace in traces for point in trace.points]
    maximum = max([*values, threshold.value * 1.15 if threshold else 0.0])
    figure.update_layout(
        xaxis=canvas.time_axis(palette, window, zone),
        yaxis=canvas.value_axis(palette, maximum, unit, whole=all(float(value).is_integer() for value in values)),
        showlegend=len(traces) > 1,
        meta={"picture": "data"},
    )
    if threshold is not None:
        _draw_threshold(figure, threshold, unit, palette)
    if late_since_s is not None:
        canvas.mark_late(figure, palette, window, late_since_s, zone)
    return figure


def _nothing(window: Window, zone: tzinfo, palette: Palette, late_since_s: float | None, why: str) -> go.Figure:
    """Late only if other data ends before the range begins; else this metric had nothing to report in it."""
    if late_since_s is None:
        return canvas.no_data(palette, why)
    if late_since_s < window.start_s:
        return canvas.waiting(palette, late_since_s, zone)
    return canvas.no_data(palette, f"up to {instants.time_of_day(late_since_s, zone)}, where the newest data ends. {why}")


def with_gaps(points: Sequence[Point], period_s: int) -> list[tuple[int, float | None]]:
    """The points with an empty one wherever a period is missing between two of them, so that the line breaks."""
    spaced: list[tuple[int, float | None]] = []
    for point in points:
        if spaced and point.timestamp_s - spaced[-1][0] > period_s * canvas.GAP_PERIODS:
            spaced.append((spaced[-1][0] + period_s, None))
        spaced.append((point.timestamp_s, point.value))
    return spaced


def _line(trace: Trace, colour: str, unit: str, period_s: int, zone: tzinfo, filled: bool) -> go.Scatter:
    spaced = with_gaps(trace.points, period_s)
    times: list[datetime] = [instants.wall_clock(time_s, zone) for time_s, _ in spaced]
    values = [value for _, value in spaced]
    return go.Scatter(
        x=times, y=values, name=canvas.plain(trace.label), mode="lines+markers", connectgaps=False,
        line={"color": colour, "width": 1.75},
        marker={"color": colour, "size": _marker_sizes(values)},
        fill="tozeroy" if filled else None, fillcolor=_faint(colour),
        text=[amounts.of_unit(value, unit) for value in values],
        hovertemplate="%{text}" if filled else "%{fullData.name}: %{text}<extra></extra>",
    )


def _marker_sizes(values: Sequence[float | None]) -> list[int]:
    """Only a point without neighbours needs a dot; a line of one point would not be seen."""
    padded = [None, *values, None]
    return [5 if before is None and after is None and value is not None else 0
            for before, value, after in zip(padded, values, padded[2:], strict=False)]


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[place:place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.10)"


def _draw_threshold(figure: go.Figure, threshold: Threshold, unit: str, palette: Palette) -> None:
    if threshold.value == 0:
        figure.layout.yaxis.range = [-0.03 * figure.layout.yaxis.range[1], figure.layout.yaxis.range[1]]
    figure.add_hline(y=threshold.value, line={"color": palette.red, "width": 1.5, "dash": "dash"})
    figure.add_annotation(
        x=0, xref="paper", y=threshold.value, yref="y", xanchor="left", yanchor="bottom", showarrow=False,
        text=f"{canvas.plain(threshold.label)} {amounts.of_unit(threshold.value, unit)}", font={"color": palette.red, "size": 11},
    )
