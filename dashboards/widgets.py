"""The parts pages are made of: cards, charts, number tiles, badges, notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards.theme import FONT, LIGHT, state_colour_name

Children = Any

#: Height of a chart in a grid, pixels.
CHART_PIXELS = 210
_GRAPH_CONFIG = {"displayModeBar": False, "responsive": True, "doubleClick": False, "showAxisDragHandles": False}


def card(title: str, *children: Children, about: Children = None, tools: Children = None,
         identity: str = "", wide: bool = False) -> Component:
    """A panel with a title, a grey line about what is counted, and tools at its right."""
    heading = html.Div(className="card-title", children=[
        html.H2(title), html.Span(about, className="about", **_id(identity, "-about")),
    ])
    # A component without children is false, so the question is whether there is one.
    right = None if tools is None else html.Div(tools, className="card-tools")
    bar = html.Div([heading, right], className="card-head")
    return html.Section([bar, *children], className="card wide" if wide else "card",
                        **_id(identity), **{"aria-label": title})


def chart(identity: Any, *, height: int | None = CHART_PIXELS, label: str = "") -> Component:
    """A figure.  `label` tells those who cannot see it what it shows; None as height lets the figure set its own."""
    style = {"height": f"{height}px"} if height else {}
    graph = dcc.Graph(id=identity, config=_GRAPH_CONFIG, style=style, figure={"layout": {
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
        "xaxis": {"visible": False}, "yaxis": {"visible": False}, "height": height or CHART_PIXELS,
        "annotations": [{"text": "Loading", "showarrow": False, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper",
                         "font": {"family": FONT, "size": 12, "color": LIGHT.grey}}]}})
    return html.Div(graph, className="chart", role="img", **{"aria-label": label})


def tile(title: str, value: str, *, unit: str = "", detail: str = "", tone: str = "", picture: str = "",
         exact: str = "") -> Component:
    """A big number.  `tone` colours it (`red`, `green`, `amber`), `picture` is a sparkline, `exact` the hover text."""
    return html.Div(className=f"tile {tone}", role="group", title=exact or None, children=[
        html.Div(title, className="tile-title"),
        html.Div([html.Span(value, className="tile-value"), html.Span(unit, className="tile-unit")],
                 className="tile-number"),
        html.Img(src=picture, alt="", className="tile-line") if picture else html.Div(className="tile-line"),
        html.Div(detail, className="tile-detail"),
    ], **{"aria-label": f"{title}: {value} {unit}".strip()})


def badge(state: str, text: str = "") -> Component:
    """A state in its colour and in words."""
    return html.Span([html.Span(className="dot", **{"aria-hidden": "true"}), text or state],
                     className=f"badge {state_colour_name(state)}")


def note(text: Children, tone: str = "grey", title: str = "") -> Component:
    """A sentence across the page: red for a failure, amber for late data, grey for information."""
    role = "alert" if tone == "red" else "status"
    # The text may be a list of parts, and Dash does not look into a list within a list.
    return html.Div([html.Strong(f"{title} ") if title else None, html.Span(text)], className=f"note {tone}", role=role)


def icon(name: str) -> Component:
    """A decorative icon, drawn by the style sheet."""
    return html.Span(className=f"icon icon-{name}", **{"aria-hidden": "true"})


def select(identity: Any, label: str, options: Sequence[tuple[str, str]], value: str = "", *, placeholder: str = "Any",
           clearable: bool = True, width: int = 170, searchable: bool = True) -> Component:
    """A labelled menu of (value, text) pairs."""
    return dmc.Select(
        id=identity, label=label or None, data=[{"value": each, "label": text} for each, text in options], value=value or None,
        placeholder=placeholder, clearable=clearable, searchable=searchable, size="xs", w=width,
        nothingFoundMessage="Nothing with that name", comboboxProps={"shadow": "md"}, allowDeselect=clearable,
        **({} if label else {"aria-label": placeholder}),
    )


def text_field(identity: Any, label: str, value: str, *, placeholder: str = "", width: int = 170) -> Component:
    """A labelled line of text, taken over on Enter or when it is left."""
    return dmc.TextInput(id=identity, label=label, value=value, placeholder=placeholder, size="xs", w=width,
                         debounce=True, spellCheck=False, autoComplete="off")


def _id(identity: str, suffix: str = "") -> dict[str, str]:
    return {"id": identity + suffix} if identity else {}


def pager(identity: Any, page: int) -> Component:
    """Numbers of the pages of a list; the callback that fills the list writes `total`.

    Mantine's arrows have no names for those who cannot see them and take none, so there are none.
    """
    return dmc.Pagination(id=identity, total=1, value=page, size="sm", withControls=False, siblings=2,
                          **{"aria-label": "Pages of the list"})


def link(children: Children, href: str) -> Component:
    """A link within the console."""
    return dcc.Link(children, href=href, className="plain-link")
