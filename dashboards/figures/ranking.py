"""Horizontal bars, longest first: top talkers, drop reasons, what an appliance ate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from dashboards import amounts
from dashboards.figures import canvas
from dashboards.theme import Palette

#: Height of one bar and of the margins, pixels.
ROW_PIXELS, FRAME_PIXELS = 26, 20
#: Most bars in one figure; what is left out is in the tables.
BARS_MAX = 10
LABEL_CHARACTERS_MAX = 44


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: what it stands for, its value, and a sentence for the hover text."""

    label: str
    value: float
    detail: str = ""


def height_of(bars: Sequence[Bar]) -> int:
    """Pixels the figure needs for these bars."""
    return FRAME_PIXELS + ROW_PIXELS * max(4, min(len(bars), BARS_MAX))


def ranking(
    bars: Sequence[Bar], *, unit: str, palette: Palette, colour: str | None = None, nothing: str = ""
) -> go.Figure:
    """Draw at most `BARS_MAX` bars with their values; `nothing` is the sentence shown when there are none."""
    if not bars:
        return canvas.no_data(palette, title=nothing or "No data in this range")
    # Plotly draws the first bar at the bottom.
    shown = sorted(bars, key=lambda bar: bar.value, reverse=True)[:BARS_MAX][::-1]
    figure = canvas.canvas(palette)
    figure.add_trace(go.Bar(
        orientation="h", x=[bar.value for bar in shown], y=list(range(len(shown))),
        marker={"color": colour or palette.series[0]}, width=0.62,
        text=[amounts.of_unit(bar.value, unit) for bar in shown], textposition="outside", cliponaxis=False,
        textfont={"color": palette.ink},
        hovertext=[f"<b>{canvas.plain(bar.label)}</b><br>{canvas.plain(bar.detail or amounts.of_unit(bar.value, unit))}"
                   for bar in shown],
        hovertemplate="%{hovertext}<extra></extra>",
    ))
    figure.update_layout(
        hovermode="closest", meta={"picture": "data"}, margin={"l": 8, "r": 8, "t": 6, "b": 6},
        xaxis={"visible": False, "range": [0, shown[-1].value * 1.22 or 1], "fixedrange": True},
        yaxis={"tickvals": list(range(len(shown))), "ticktext": [canvas.plain(_short(bar.label)) + "  " for bar in shown],
               "automargin": True, "fixedrange": True, "showgrid": False, "zeroline": False,
               "range": [len(shown) - max(4, len(shown)) - 0.5, len(shown) - 0.5], "tickfont": {"color": palette.ink}},
    )
    return figure


def _short(label: str) -> str:
    return label if len(label) <= LABEL_CHARACTERS_MAX else label[:LABEL_CHARACTERS_MAX - 1] + "…"
