"""Two bars for each target: what it was given and what it gave back; the difference is what it ate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from dashboards import amounts
from dashboards.figures import canvas
from dashboards.theme import Palette

ROW_PIXELS, FRAME_PIXELS = 46, 64
#: Most targets in one figure; the saved query has them all.
TARGETS_MAX = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One target: its label, what it was given and what it returned, in the same unit."""

    label: str
    given: float
    returned: float


def height_of(pairs: Sequence[Pair]) -> int:
    """Pixels the figure needs for these targets."""
    return FRAME_PIXELS + ROW_PIXELS * max(3, min(len(pairs), TARGETS_MAX))


def given_returned(pairs: Sequence[Pair], *, unit: str, palette: Palette, nothing: str = "") -> go.Figure:
    """Draw the `TARGETS_MAX` targets that were given most, in the order of their labels, so that a target has the same
    place beside the same chart of something else; `nothing` is the sentence shown when there are none."""
    if not pairs:
        return canvas.no_data(palette, nothing)
    most = sorted(pairs, key=lambda pair: (-pair.given, pair.label))[:TARGETS_MAX]
    shown = sorted(most, key=lambda pair: pair.label, reverse=True)  # Plotly draws the first at the bottom
    figure = canvas.canvas(palette)
    # Plotly stacks groups upwards, so that the second trace is drawn above the first.
    for name, values, colour in (
        ("returned", [pair.returned for pair in shown], palette.series[2]),
        ("given", [pair.given for pair in shown], palette.series[0]),
    ):
        figure.add_trace(go.Bar(
            orientation="h", name=name, x=values, y=[canvas.plain(pair.label) for pair in shown], marker={"color": colour},
            text=[amounts.of_unit(value, unit) for value in values], textposition="outside", cliponaxis=False,
            textfont={"color": palette.ink}, hovertext=[_hover(pair, unit) for pair in shown],
            hovertemplate="%{hovertext}<extra></extra>",
        ))
    top = max(max(pair.given, pair.returned) for pair in shown)
    figure.update_layout(
        barmode="group", bargap=0.32, bargroupgap=0.06, hovermode="closest", showlegend=True, meta={"picture": "data"},
        margin={"l": 8, "r": 8, "t": 6, "b": 36},
        xaxis={"visible": False, "range": [0, top * 1.2 or 1], "fixedrange": True},
        yaxis={"automargin": True, "fixedrange": True, "showgrid": False, "zeroline": False, "ticksuffix": "  ",
               "tickfont": {"color": palette.ink}},
        legend={"y": -0.02, "traceorder": "reversed"},
    )
    return figure


def _hover(pair: Pair, unit: str) -> str:
    missing = pair.given - pair.returned
    share = f" ({amounts.three_figures(100 * missing / pair.given)} %)" if pair.given else ""
    lines = [f"<b>{canvas.plain(pair.label)}</b>", f"given {amounts.of_unit(pair.given, unit)}",
             f"returned {amounts.of_unit(pair.returned, unit)}",
             f"not returned {amounts.of_unit(missing, unit)}{share}"]
    return "<br>".join(lines)
