"""The frame around every page: top bar, menu, page head with time range, clock and refresh, and what the browser keeps.

The browser keeps: `state` (the canonical URL of what is shown), `tick` (time of the last refresh), `theme`, `zone` (its
time zone), `wish` (a theme asked for) and `zoom` (a range dragged in a chart).
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import page_state, theme, time_range, widgets
from dashboards.live import busy_flag
from dashboards.page_state import LISTED_PAGES, PageState
from dashboards.time_range import Absolute, Relative
from gatewatch.settings import Settings

HEADER_PIXELS, MENU_PIXELS = 48, 188
_UNITS = (("m", "minutes"), ("h", "hours"), ("d", "days"), ("s", "seconds"))


def layout(settings: Settings) -> Component:
    """The whole document; `navigation.py` fills the page in."""
    return dmc.MantineProvider(
        id="mantine", theme=theme.mantine_theme(), children=[
            dcc.Location(id="url", refresh="callback-nav"),
            *(dcc.Store(id=name) for name in ("state", "tick", "theme", "zone", "wish", "zoom", "served", "custom")),
            dcc.Interval(id="clock-tick", interval=1000, disabled=True),
            dcc.Interval(id="heartbeat", interval=1000),
            busy_flag("frame"),
            html.A("Skip to content", href="#main", className="skip"),
            dmc.AppShell(
                id="shell", padding=0, header={"height": HEADER_PIXELS},
                navbar={"width": MENU_PIXELS, "breakpoint": "sm", "collapsed": {"mobile": True}},
                children=[
                    dmc.AppShellHeader(_top_bar(settings), className="top", withBorder=False),
                    dmc.AppShellNavbar(html.Nav(id="menu", **{"aria-label": "Pages"}), className="side"),
                    dmc.AppShellMain(_main(), id="main", className="main"),
                ],
            ),
        ],
    )


def _top_bar(settings: Settings) -> Component:
    return html.Div(className="top-bar", children=[
        dmc.Burger(id="burger", opened=False, size="sm", hiddenFrom="sm", color="#fff", **{"aria-label": "Menu"}),
        dcc.Link(href="/", className="brand", children=[
            html.Span(className="mark", **{"aria-hidden": "true"}), html.Span("gatewatch"),
        ]),
        html.Div(className="top-right", children=[
            html.Div(id="alarm-summary", className="top-alarms"),
            html.Span(f"{settings.region}  ·  {settings.account_id}", className="account",
                      title="Region and account shown in ARNs and records"),
            html.Button(widgets.icon("theme"), id="theme-button", className="top-button", title="Light or dark",
                        **{"aria-label": "Switch between light and dark"}),
        ]),
    ])


def _main() -> list[Component]:
    return [
        html.Div(className="head", children=[
            html.Div(className="head-title", children=[
                html.H1(id="title"),
                html.Div(id="served-text", className="served", role="status", **{"aria-live": "off"}),
            ]),
            _time_controls(),
        ]),
        html.Div(id="notes"),
        html.Div(id="lateness"),
        html.Div(id="page", className="page"),
    ]


def _time_controls() -> Component:
    return html.Div(id="time-controls", className="controls", role="group", children=[
        dmc.SegmentedControl(id="range", data=list(time_range.PRESETS), value="", size="xs", className="presets"),
        _custom_range(),
        dmc.SegmentedControl(id="clock", size="xs", value="utc", data=[
            {"value": "utc", "label": "UTC"}, {"value": "local", "label": "Local"}]),
        dmc.Group(gap=0, wrap="nowrap", className="refresh", children=[
            html.Button(widgets.icon("refresh"), id="refresh-now", className="square", title="Refresh now",
                        **{"aria-label": "Refresh now"}),
            dmc.Select(id="refresh", size="xs", w=84, allowDeselect=False, data=[
                {"value": name, "label": "Off" if name == "off" else name} for name in page_state.REFRESH],
                **{"aria-label": "Refresh interval"}),
        ]),
    ], **{"aria-label": "Time range, clock and refresh"})


def _custom_range() -> Component:
    return dmc.Popover(id="custom-popover", width=330, position="bottom-end", shadow="md", trapFocus=True, opened=False,
                       closeOnClickOutside=True, withinPortal=True, children=[
        dmc.PopoverTarget(dmc.Button("Custom", id="custom-button", size="xs", variant="default",
                                     className="custom-button")),
        dmc.PopoverDropdown(dmc.Tabs(id="custom-kind", value="relative", children=[
            dmc.TabsList([dmc.TabsTab("Relative", value="relative"), dmc.TabsTab("Absolute", value="absolute")]),
            dmc.TabsPanel(value="relative", pt="sm", children=dmc.Group(align="end", gap="xs", children=[
                dmc.NumberInput(id="custom-number", label="Last", value=30, min=1, max=10_000, size="xs", w=110,
                                allowDecimal=False),
                dmc.Select(id="custom-unit", label="Unit", value="m", size="xs", w=130, allowDeselect=False,
                           data=[{"value": unit, "label": text} for unit, text in _UNITS]),
            ])),
            dmc.TabsPanel(value="absolute", pt="sm", children=dmc.Stack(gap="xs", children=[
                dmc.DateTimePicker(id=f"custom-{end}", label=label, size="xs", withSeconds=True, clearable=False,
                                   valueFormat="YYYY-MM-DD HH:mm:ss", popoverProps={"withinPortal": False})
                for end, label in (("start", "From"), ("end", "To"))
            ] + [html.Div(id="custom-zone", className="fine")])),
            html.Div(id="custom-wrong", className="wrong", role="alert"),
            dmc.Button("Apply", id="custom-apply", size="xs", mt="sm", fullWidth=True),
        ])),
    ])


def control_values(state: PageState) -> dict[str, Any]:
    """What the head's controls show for a state."""
    text = time_range.to_text(state.range)
    preset = next((name for name, span_s in time_range.PRESETS.items() if state.range == Relative(span_s=span_s)), "")
    custom = "Custom" if preset else f"Last {text}" if isinstance(state.range, Relative) else "From – to"
    return {"range": preset, "custom": custom, "clock": state.clock, "refresh": state.refresh}


def menu(state: PageState, alarms: int = 0) -> list[Component]:
    """Links to every page that keep time range, refresh, clock and theme."""
    return [
        dmc.NavLink(
            label=page.title, href=page_state.encode(state.elsewhere(page.name)), active=page.name == state.page,
            leftSection=widgets.icon(page.name), className="menu-link",
            **({"aria-current": "page"} if page.name == state.page else {}),
        ) for page in LISTED_PAGES
    ]


def interval_ms(state: PageState) -> tuple[int, bool]:
    """Interval of the browser's tick in milliseconds, and whether it is off."""
    return (state.refresh_s * 1000 or 1000), state.refresh_s == 0 or isinstance(state.range, Absolute)
