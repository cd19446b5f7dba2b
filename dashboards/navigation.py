"""Page state and URL kept equal: a new URL shows its page, a changed control makes a new URL.

`show` reacts to the URL, `change` to the controls.  `change` writes the store `state` and the URL together, so that
`show` sees a URL it already knows and leaves the page (and the reader's cursor) alone; back, forward, links and reloads
bring a URL it does not know, and the page is built anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboards import conditions, frame, instants, page_state, time_range, widgets
from dashboards.answers import Failed
from dashboards.console import Console, Look
from dashboards.live import callback, live
from dashboards.notices import notices
from dashboards.page_state import PAGES, PageState
from dashboards.pages import BUILDERS
from dashboards.time_range import Absolute, BadTimeRange, Relative
from queries.alarms.state import StateValue, read_alarms


def register(app: Dash, console: Console) -> None:
    """Add the callbacks of the frame."""
    _register_show(app, console)
    _register_change(app, console)
    _register_custom_range(app, console)
    _register_frame(app, console)
    _register_browser_side(app)


def decoded(href: str, console: Console) -> PageState:
    """The state of a canonical URL."""
    path, _, query = href.partition("?")
    return page_state.decode(path, query, refresh=console.default_refresh)[0]


def with_controls(state: PageState, changes: Mapping[str, Any], console: Console, zone: str | None) -> PageState:
    """The state after these controls changed; `ValueError` says which value is wrong.

    A control that shows nothing (no preset while a custom range is on) changes nothing.
    """
    for name, value in changes.items():
        if name == "range" and value in time_range.PRESETS:
            state = replace(state, range=Relative(span_s=time_range.PRESETS[value]))
        elif name == "custom" and value:
            state = replace(state, range=time_range.from_text(value["range"]))
        elif name == "zoom" and value:
            state = replace(state, range=_zoomed(value, instants.zone_of(state.clock, zone)))
        elif name == "clock" and value in page_state.CLOCKS:
            state = replace(state, clock=value)
        elif name == "refresh" and value in page_state.REFRESH:
            state = replace(state, refresh=value)
        elif name == "wish" and value in page_state.THEMES:
            state = replace(state, theme=value)
        elif name.startswith("value.") and PAGES[state.page].parameter(name[6:]):
            state = state.changed(name[6:], str(value).strip() if value is not None else "")
            if not name.endswith("_page"):
                state = from_first_page(state)
    return state


def from_first_page(state: PageState) -> PageState:
    """The state at the first page of its list: with another filter, the old page number means nothing."""
    return replace(state, values={name: text for name, text in state.values.items() if not name.endswith("_page")})


def _zoomed(value: Mapping[str, str], zone: Any) -> Absolute:
    start_s, end_s = sorted(int(instants.from_wall_clock(value[end], zone)) for end in ("from", "to"))
    return Absolute(start_s=start_s, end_s=max(end_s, start_s + time_range.SPAN_S_MIN))


def _register_show(app: Dash, console: Console) -> None:
    @callback(app,
        Output("state", "data"), Output("page", "children"), Output("title", "children"), Output("menu", "children"),
        Output("range", "value"), Output("custom-button", "children"), Output("clock", "value"),
        Output("refresh", "value"), Output("clock-tick", "interval"), Output("clock-tick", "disabled"),
        Output("notes", "children"), Output("time-controls", "className"),
        Input("url", "pathname"), Input("url", "search"), State("state", "data"),
    )
    async def show(path: str | None, query: str | None, known: str | None) -> Any:
        state, notes = page_state.decode(path or "/", query or "", refresh=console.default_refresh)
        href = page_state.encode(state)
        same = href == known
        controls, (interval, off) = frame.control_values(state), frame.interval_ms(state)
        page = PAGES[state.page]
        return (
            no_update if same else href,
            no_update if same else BUILDERS[state.page](state, console),
            page.title, frame.menu(state), controls["range"], controls["custom"], controls["clock"],
            controls["refresh"], interval, off, [widgets.note(text, "amber") for text in notes],
            "controls" if page.timed else "controls untimed",
        )


def _register_change(app: Dash, console: Console) -> None:
    @callback(app,
        Output("state", "data", allow_duplicate=True), Output("url", "search", allow_duplicate=True),
        Output("notes", "children", allow_duplicate=True),
        Input("range", "value"), Input("clock", "value"), Input("refresh", "value"), Input("custom", "data"),
        Input("zoom", "data"), Input("wish", "data"), Input({"type": "value", "name": ALL}, "value"),
        State("state", "data"), State("zone", "data"),
        prevent_initial_call=True,
    )
    async def change(*values: Any) -> Any:
        href, zone = values[-2:]
        if href is None:
            raise PreventUpdate
        before = decoded(href, console)
        try:
            after = with_controls(before, _triggered(), console, zone)
        except ValueError as error:
            return no_update, no_update, [widgets.note(str(error), "red")]
        new = page_state.encode(after)
        if new == href:
            raise PreventUpdate
        _, mark, query = new.partition("?")
        return new, mark + query, []


def _triggered() -> dict[str, Any]:
    """Changed controls: `range`, `clock`, ... by their id, a page's own as `value.NAME`."""
    changes: dict[str, Any] = {}
    for each in ctx.triggered:
        source = ctx.triggered_prop_ids.get(each["prop_id"])
        name = f"value.{source['name']}" if isinstance(source, dict) else str(source)
        changes[name] = each["value"]
    return changes


def _register_custom_range(app: Dash, console: Console) -> None:
    @callback(app,
        Output("custom-popover", "opened"), Output("custom-start", "value"), Output("custom-end", "value"),
        Output("custom-wrong", "children"), Output("custom-zone", "children"),
        Input("custom-button", "n_clicks"), State("state", "data"), State("zone", "data"),
        prevent_initial_call=True,
    )
    async def open_popover(clicks: int | None, href: str | None, zone: str | None) -> Any:
        if href is None:
            raise PreventUpdate
        look = console.look(href, None, zone)
        ends = (look.window.start_s, look.window.end_s)
        zone_name = instants.zone_name(look.zone, look.window.end_s)
        return True, *(instants.date_and_time(end_s, look.zone) for end_s in ends), "", f"Times are {zone_name}."

    @callback(app,
        Output("custom", "data"), Output("custom-wrong", "children", allow_duplicate=True),
        Output("custom-popover", "opened", allow_duplicate=True),
        Input("custom-apply", "n_clicks"), State("custom-kind", "value"), State("custom-number", "value"),
        State("custom-unit", "value"), State("custom-start", "value"), State("custom-end", "value"),
        State("state", "data"), State("zone", "data"),
        prevent_initial_call=True,
    )
    async def apply(clicks: int | None, kind: str, number: Any, unit: str, start: str | None, end: str | None,
                    href: str | None, zone: str | None) -> Any:
        if href is None:
            raise PreventUpdate
        try:
            if kind == "relative":
                chosen = time_range.from_text(f"{number}{unit}")
            else:
                chosen = chosen_absolute(start, end, console.look(href, None, zone))
        except BadTimeRange as error:
            return no_update, str(error), True
        return {"range": time_range.to_text(chosen), "click": clicks}, "", False


def chosen_absolute(start: str | None, end: str | None, look: Look) -> Absolute:
    """The range between two wall-clock times of the reader's clock; `BadTimeRange` when it is none."""
    if not start or not end:
        raise BadTimeRange("a range needs a beginning and an end")
    try:
        seconds = [int(instants.from_wall_clock(text, look.zone)) for text in (start, end)]
    except ValueError as error:
        raise BadTimeRange(str(error)) from None
    return Absolute(start_s=seconds[0], end_s=seconds[1])


def _register_frame(app: Dash, console: Console) -> None:
    @live(app, console, "frame", [
        Output("served", "data"), Output("alarm-summary", "children"), Output("lateness", "children"),
    ])
    def render(look: Look) -> Any:
        timed = PAGES[look.state.page].timed
        served = {"at": look.now_s, "refresh_s": look.state.refresh_s,
                  "text": instants.span(look.window.start_s, look.window.end_s, look.zone) if timed else ""}
        return served, alarm_summary(look, console), notices(look, console)


def alarm_summary(look: Look, console: Console) -> list[Component]:
    """The verdict over everything, then how many alarms are in alarm, as links.

    Alarms that are OK are no verdict: they look at what they look at, and are OK as well while nothing runs.
    """
    answer = console.ask(look, "alarms", lambda: read_alarms(console.settings.data_path))
    alarms = [] if isinstance(answer, Failed) else answer.rows
    in_alarm = sum(alarm.state is StateValue.ALARM for alarm in alarms)
    overview = page_state.encode(look.state.elsewhere("overview"))
    made = [widgets.link(badge, overview) for badge in [conditions.badge(look, console)] if badge is not None]
    if in_alarm:
        href = page_state.encode(look.state.elsewhere("alarms"))
        made.append(widgets.link(widgets.badge("ALARM", f"{in_alarm} in alarm"), href))
    return made


def _register_browser_side(app: Dash) -> None:
    """What needs no server: the tick's gate, theme, zone, heartbeat, the menu on narrow screens."""
    def side(name: str) -> ClientsideFunction:
        return ClientsideFunction(namespace="console", function_name=name)

    app.clientside_callback(
        side("tick"), Output("tick", "data"), Input("clock-tick", "n_intervals"), Input("refresh-now", "n_clicks"),
        State({"type": "busy", "name": ALL}, "data"), prevent_initial_call=True)
    app.clientside_callback(
        side("theme"), Output("theme", "data"), Output("mantine", "forceColorScheme"), Output("zone", "data"),
        Input("state", "data"), State("theme", "data"), State("zone", "data"))
    app.clientside_callback(
        side("otherTheme"), Output("wish", "data"), Input("theme-button", "n_clicks"), State("theme", "data"),
        prevent_initial_call=True)
    app.clientside_callback(
        side("heartbeat"), Output("served-text", "children"), Output("served-text", "className"),
        Input("heartbeat", "n_intervals"), Input("served", "data"))
    app.clientside_callback(
        side("zoom"), Output("zoom", "data"), Input({"type": "chart", "name": ALL}, "relayoutData"),
        prevent_initial_call=True)
    app.clientside_callback(
        side("menu"), Output("shell", "navbar"), Output("burger", "opened"), Input("burger", "opened"),
        Input("url", "pathname"), State("shell", "navbar"), prevent_initial_call=True)
