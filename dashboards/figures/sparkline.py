"""The small line under a big number: an SVG as a data URI, because a chart library for 40 pixels would be waste."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from queries.metric_statistics import Point

WIDTH, HEIGHT = 160, 30
_INSET = 2.0


def sparkline(points: Sequence[Point], *, start_s: float, end_s: float, colour: str) -> str:
    """The points between two instants as a line from 0 to their maximum; a picture of nothing without points."""
    inside = [point for point in points if start_s <= point.timestamp_s < end_s]
    return _data_uri(_path(inside, start_s, end_s), colour)


def _path(points: Sequence[Point], start_s: float, end_s: float) -> list[tuple[float, float]]:
    top = max((point.value for point in points), default=0.0) or 1.0
    return [
        (round(_INSET + (point.timestamp_s - start_s) / (end_s - start_s) * (WIDTH - 2 * _INSET), 1),
         round(HEIGHT - _INSET - point.value / top * (HEIGHT - 2 * _INSET), 1))
        for point in points
    ]


def _data_uri(path: Sequence[tuple[float, float]], colour: str) -> str:
    line = " ".join(f"{x:g},{y:g}" for x, y in path)
    shapes = ""
    if len(path) == 1:
        shapes = f'<circle cx="{path[0][0]:g}" cy="{path[0][1]:g}" r="2" fill="{colour}"/>'
    elif path:
        area = f"{path[0][0]:g},{HEIGHT} {line} {path[-1][0]:g},{HEIGHT}"
        shapes = (f'<polygon points="{area}" fill="{colour}" fill-opacity="0.12"/>'
                  f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5" '
                  'stroke-linejoin="round" vector-effect="non-scaling-stroke"/>')
    svg = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           f'preserveAspectRatio="none">{shapes}</svg>')
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
