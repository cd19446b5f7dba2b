"""What is shown at an address where there is no page; the console answers it with status 404."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboards import page_state, widgets
from dashboards.console import Console
from dashboards.page_state import LISTED_PAGES, PageState


def build(state: PageState, console: Console) -> Component:
    """The layout: every page there is, at the reader's time range, clock and theme."""
    return widgets.card("There is no page at this address", html.Ul(className="elsewhere", children=[
        html.Li(widgets.link(page.title, page_state.encode(state.elsewhere(page.name)))) for page in LISTED_PAGES
    ]), about="perhaps a link that was cut short; these are the pages there are")
