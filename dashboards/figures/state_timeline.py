"""A bar for each target along time, coloured by its state: what was sick, when, and for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

import plotly.graph_objects as go

from dashboards import amounts, instants
from dashboards.figures import canvas
from dashboards.theme import Palette, state_colour
from dashboards.time_range import Window
from queries.targets import Segment

#: Height of one target's bar and of what stands around all of them, pixels.
ROW_PIXELS, FRAME_PIXELS = 34, 64


def height_of(segments: Sequence[Segment]) -> int:
    """Pixels the figure needs for this many targets."""
    return FRAME_PIXELS + ROW_PIXELS * max(2, len({label_of(segment) for segment in segments}))


def label_of(segment: Segment) -> str:
    """A target as the axis names it."""
    return segment.target_id


def state_timeline(
    segments: Sequence[Segment], *, window: Window, zone: tzinfo, palette: Palette, names: Mapping[str, str] | None = None,
) -> go.Figure:
    """Draw the segments, one trace for each state so that the legend explains the colours; `names` are for the axis."""
    if not segments:
        return canvas.no_data(palette, "No target was registered in it.")
    figure = canvas.canvas(palette)
    for state in dict.fromkeys(segment.state for segment in segments):
        figure.add_trace(_bars(state, [each for each in segments if each.state == state], zone, palette))
    labels = sorted({label_of(segment) for segment in segments},
                    key=lambda label: ((names or {}).get(label, label), label), reverse=True)
    figure.update_layout(
        barmode="overlay", bargap=0.35, showlegend=True, hovermode="closest", meta={"picture": "data"},
        xaxis=canvas.time_axis(palette, window, zone),
        yaxis={"categoryorder": "array", "categoryarray": labels, "tickvals": labels,
               "ticktext": [f"{canvas.plain((names or {}).get(label, label))}  " for label in labels], "fixedrange": True,
               "automargin": True, "tickfont": {"color": palette.ink}, "showgrid": False},
        margin={"l": 10, "r": 14, "t": 8, "b": 52},
        legend={"y": -0.14 - 0.25 / len(labels)},
    )
    return figure


def _bars(state: str, segments: Sequence[Segment], zone: tzinfo, palette: Palette) -> go.Bar:
    return go.Bar(
        orientation="h", name=canvas.plain(state),
        base=[instants.wall_clock(each.start_s, zone) for each in segments],
        x=[(each.end_s - each.start_s) * 1000 for each in segments],
        y=[label_of(each) for each in segments],
        marker={"color": state_colour(state, palette), "line": {"width": 1, "color": palette.panel}},
        hovertext=[_hover(each, zone) for each in segments],
        hovertemplate="%{hovertext}<extra></extra>",
        textposition="none",
    )


def _hover(segment: Segment, zone: tzinfo) -> str:
    lines = [
        f"<b>{canvas.plain(segment.target_id)}</b> {canvas.plain(segment.availability_zone)}",
        canvas.plain(f"{segment.state} {segment.reason}".strip()),
        canvas.plain(segment.description),
        f"{instants.span(segment.start_s, segment.end_s, zone)} ({amounts.duration(segment.end_s - segment.start_s)})",
    ]
    return "<br>".join(filter(None, lines))
