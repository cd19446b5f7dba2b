"""What all figures share: an empty figure in a theme, a time axis, value ticks, and the three pictures without a line.

*No data* (nothing was recorded), *late data* (something is missing at the right edge) and *query failed* (nobody knows)
are different facts and look different: a grey sentence, an amber band with the last instant that is known, a red one.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta, tzinfo

import plotly.graph_objects as go

from dashboards import amounts, instants
from dashboards.theme import FONT, Palette
from dashboards.time_range import Window

#: A line breaks where this many periods have no point.
GAP_PERIODS = 1.5
_STEPS = (1, 2, 2.5, 5, 10)
#: Labelled times of an axis; as many fit into the narrowest chart.
TIME_TICKS_MAX = 5
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400
_TIME_STEPS_S = (
    1, 2, 5, 10, 15, 30, *(_MINUTE_S * number for number in (1, 2, 5, 10, 15, 30)),
    *(_HOUR_S * number for number in (1, 3, 6, 12)), *(_DAY_S * number for number in (1, 2, 7, 14, 28, 91)),
)
_EPOCH = datetime(1970, 1, 1)


def canvas(palette: Palette) -> go.Figure:
    """A figure without data: transparent, our type, no legend, no gaps at the edges."""
    return go.Figure(layout={
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 11, "color": palette.muted},
        "margin": {"l": 10, "r": 12, "t": 18, "b": 26},
        "showlegend": False,
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": palette.raised, "bordercolor": palette.line,
                       "font": {"family": FONT, "size": 12, "color": palette.ink}},
        "dragmode": "zoom",
        "legend": {"orientation": "h", "x": 0, "y": -0.18, "yanchor": "top", "font": {"color": palette.ink}},
        "colorway": list(palette.series),
        # The reader's zoom is a new time range in the URL, never a state of the figure.
        "uirevision": None,
    })


def time_axis(palette: Palette, window: Window, zone: tzinfo) -> dict[str, object]:
    """The horizontal axis of a range of time, as the clock in `zone` shows it."""
    return {
        "type": "date",
        "range": [instants.wall_clock(window.start_s, zone), instants.wall_clock(window.end_s, zone)],
        "tickvals": time_ticks(window, zone),
        "tickformat": _tick_format(window.span_s),
        "hoverformat": "%Y-%m-%d %H:%M:%S",
        "gridcolor": palette.grid,
        "linecolor": palette.line,
        "showline": True,
        "zeroline": False,
        "tickangle": 0,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": palette.line,
    }


def time_ticks(window: Window, zone: tzinfo) -> list[datetime]:
    """Round times of the clock in `zone`, at most five.  Plotly's own choice depends on the width that a chart's labels
    leave it, so that charts side by side would have different lines for the same range."""
    step_s = next((step for step in _TIME_STEPS_S if window.span_s <= step * TIME_TICKS_MAX), _TIME_STEPS_S[-1])
    start, end = (instants.wall_clock(time_s, zone) for time_s in (window.start_s, window.end_s))
    since = (start - _EPOCH) // timedelta(seconds=1)
    first = _EPOCH + timedelta(seconds=-(-since // step_s) * step_s)
    places = (first + timedelta(seconds=step_s * number) for number in range(TIME_TICKS_MAX + 1))
    return [place for place in places if place <= end][:TIME_TICKS_MAX]


def value_axis(palette: Palette, maximum: float, unit: str, *, whole: bool = False) -> dict[str, object]:
    """The vertical axis from 0 to at least `maximum`, at most five labelled lines, labels in people's units."""
    values = ticks(maximum, whole=whole)
    return {
        "range": [0, values[-1] * 1.04],
        "tickvals": values,
        "ticktext": [amounts.of_unit(value, unit) for value in values],
        "gridcolor": palette.grid,
        "zeroline": True,
        "zerolinecolor": palette.line,
        "zerolinewidth": 1,
        "fixedrange": True,
        "automargin": True,
        # Ticks that are not seen keep the labels off the lines.
        "ticks": "outside",
        "ticklen": 5,
        "tickcolor": "rgba(0,0,0,0)",
    }


def ticks(maximum: float, *, whole: bool = False) -> list[float]:
    """Round values from 0 to at least `maximum`, at most five; whole numbers only where halves mean nothing."""
    if maximum <= 0:
        return [0.0, 1.0]
    rough = maximum / 4
    power = 10.0 ** math.floor(math.log10(rough))
    steps = [step * power for step in _STEPS]
    if whole:
        steps = [step for step in steps if step >= 1 and float(step).is_integer()] or [1.0]
    step = next((each for each in steps if each >= rough * 0.999), steps[-1])
    return [step * number for number in range(math.ceil(maximum / step - 1e-9) + 1)]


def no_data(palette: Palette, detail: str = "", *, title: str = "No data in this range") -> go.Figure:
    """Nothing was recorded in the range; `detail` says what is known beside that."""
    return _sentence(palette, title, detail, palette.muted, "no data")


def failed(palette: Palette, message: str) -> go.Figure:
    """The question could not be answered; `message` says why."""
    figure = _sentence(palette, "Query failed", message, palette.red, "query failed")
    figure.add_shape(type="rect", xref="paper", yref="paper", x0=0, x1=1, y0=0, y1=1, layer="below",
                     fillcolor=palette.red_soft, line={"color": palette.red, "width": 1})
    return figure


def waiting(palette: Palette, newest_s: float | None, zone: tzinfo) -> go.Figure:
    """Data exists but none as new as the range: it is late."""
    since = f"Newest data is from {instants.date_and_time(newest_s, zone)}" if newest_s is not None else ""
    figure = _sentence(palette, "Data is late", since, palette.amber, "late data")
    figure.add_shape(type="rect", xref="paper", yref="paper", x0=0, x1=1, y0=0, y1=1, layer="below",
                     fillcolor=palette.amber_soft, line={"color": palette.amber, "width": 1, "dash": "dot"})
    return figure


def mark_late(figure: go.Figure, palette: Palette, window: Window, newest_s: float, zone: tzinfo) -> None:
    """Shade the part of a time axis that newest data does not reach, and say so at its edge."""
    start = instants.wall_clock(max(newest_s, window.start_s), zone)
    figure.update_layout(meta={"picture": "late data"})
    figure.add_shape(type="rect", xref="x", yref="paper", x0=start, x1=instants.wall_clock(window.end_s, zone), y0=0,
                     y1=1, layer="below", fillcolor=palette.amber_soft, line={"width": 0})
    figure.add_annotation(x=1, xref="paper", y=1, yref="paper", xanchor="right", yanchor="bottom", showarrow=False,
                          text=f"late: nothing after {instants.time_of_day(newest_s, zone)}",
                          font={"color": palette.amber, "size": 10.5})


def _sentence(palette: Palette, title: str, detail: str, colour: str, picture: str) -> go.Figure:
    figure = canvas(palette)
    hidden = {"visible": False, "fixedrange": True, "range": [0, 1]}
    figure.update_layout(xaxis=hidden, yaxis=hidden, margin={"l": 8, "r": 8, "t": 8, "b": 8}, hovermode=False,
                         meta={"picture": picture})
    text = f"<b>{title}</b>" + (f"<br>{_wrapped(detail)}" if detail else "")
    figure.add_annotation(x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, text=text,
                          font={"color": colour, "size": 12})
    return figure


def _wrapped(text: str, characters: int = 46, lines_max: int = 4) -> str:
    """Plotly draws no line breaks of its own: break at spaces, cut after `lines_max`, and show text as text."""
    lines: list[str] = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) + 1 > characters:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    if len(lines) > lines_max:
        lines = [*lines[:lines_max - 1], lines[lines_max - 1] + " …"]
    return "<br>".join(map(plain, lines))


def plain(text: str) -> str:
    """Text that Plotly shows as it is: it takes `<b>`, `<a href=...>` and entities of any text for markup, also in names
    that come from the inventory or from records of other producers."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _tick_format(span_s: int) -> str:
    if span_s <= 600:
        return "%H:%M:%S"
    return "%H:%M" if span_s <= 90_000 else "%b %d\n%H:%M"
