"""Targets: where each stands and why, its states along time, and what it was given and gave back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import Dash, Output, html
from dash.development.base_component import Component

from dashboards import amounts, instants, widgets
from dashboards.answers import Answer, Failed
from dashboards.console import Console, Look
from dashboards.figures import canvas
from dashboards.figures.given_returned import Pair, given_returned
from dashboards.figures.given_returned import height_of as pairs_height
from dashboards.figures.state_timeline import height_of, state_timeline
from dashboards.grid import Column, grid, style_for
from dashboards.instance_names import names_at
from dashboards.live import busy_flag, live
from dashboards.page_state import PageState
from dashboards.theme import state_colour_name
from queries import saved_query, targets
from queries.targets import Segment, TargetNow

ROWS_SHOWN = 15

COLUMNS = (
    Column(field="name", title="Name", width=100, grow=1, hint="The instance's name in the inventory"),
    Column(field="target", title="Target", kind="code", width=172),
    Column(field="zone", title="Zone", width=95),
    Column(field="address", title="Address", kind="code", width=110),
    Column(field="state", title="State", kind="state", width=100, tooltip="description"),
    Column(field="reason", title="Reason", kind="code", width=175, grow=2, tooltip="description",
           hint="AWS's reason code; point at one to read its description"),
    Column(field="since", title="Since", width=155),
    Column(field="age", title="For", kind="number", width=102),
    Column(field="changes", title="Changes", kind="number", width=80, hint="Changes of state in the lake"),
    Column(field="group", title="Target group", width=110, grow=1),
)


def build(state: PageState, console: Console) -> Component:
    """The layout."""
    return html.Div([
        busy_flag("targets"),
        html.Div(id="targets-summary", className="summary"),
        widgets.card("Targets", html.Div(id="targets-note"),
                     grid("targets-grid", COLUMNS, row_id="id", nothing="No target was ever registered"),
                     identity="targets-now", about=""),
        widgets.card("States", widgets.chart({"type": "chart", "name": "targets-timeline"}, height=None,
                     label="State of each target along the time range"), about="each target along the time range"),
        html.Div(className="halves", children=[
            widgets.card("Bytes", widgets.chart("targets-bytes", height=None, label="Bytes of each target"),
                         about="given to each target and returned by it in the range, without the GENEVE header"),
            widgets.card("Packets", widgets.chart("targets-packets", height=None, label="Packets of each target"),
                         about="given to each target and returned by it in the range"),
        ]),
    ])


def register(app: Dash, console: Console) -> None:
    """The callbacks."""
    @live(app, console, "targets", [
        Output("targets-summary", "children"), Output("targets-note", "children"), Output("targets-grid", "rowData"),
        Output("targets-grid", "style"),
        Output({"type": "chart", "name": "targets-timeline"}, "figure"),
        Output("targets-bytes", "figure"), Output("targets-packets", "figure"),
        Output("targets-now-about", "children"),
    ], page="targets")
    def render(look: Look) -> Any:
        return refresh(look, console)


def refresh(look: Look, console: Console) -> list[Any]:
    """Values of all outputs."""
    lake, window = console.lake, look.window
    # The states at the end of the range: a range in the past shows what was true then.
    now_s = float(window.end_s)
    current = console.ask(look, "targets-now", lambda: targets.current(lake, now_s=now_s))
    segments = console.ask(look, "targets-timeline", lambda: targets.timeline(
        lake, start_s=window.start_s, end_s=min(window.end_s, look.now_s)))
    traffic = console.ask(look, "targets-traffic", lambda: saved_query.run(
        lake, "bytes_per_target", start_s=window.start_s, end_s=window.end_s).to_pylist())
    names = names_at(look, console)
    rows = [] if isinstance(current, Failed) else [row_of(each, look, names) for each in current.rows]
    note = widgets.note(current.message, "red", "Query failed.") if isinstance(current, Failed) else None
    return [summary(current), note, rows, style_for(len(rows), ROWS_SHOWN), timeline_figure(segments, look, names),
            traffic_figure(traffic, "bytes", "Bytes", look, names), traffic_figure(traffic, "packets", "Count", look, names),
            f"as of {instants.date_and_time(min(now_s, look.now_s), look.zone)}"]


def row_of(target: TargetNow, look: Look, names: Mapping[str, str]) -> dict[str, Any]:
    """A target as a row of the table; `names` by id or address."""
    age_s = max(0.0, min(look.now_s, look.window.end_s) - target.since_s)
    return {
        "id": f"{target.load_balancer} {target.target_group} {target.target_id}",
        "name": names.get(target.target_id, ""), "target": target.target_id,
        "zone": target.availability_zone, "address": target.target_address,
        "state": target.state, "state_tone": state_colour_name(target.state), "reason": target.reason,
        "description": target.description,
        "since": target.since_s, "since_text": instants.date_and_time(target.since_s, look.zone),
        "age": age_s, "age_text": amounts.duration(int(age_s)),
        "changes": target.changes, "changes_text": amounts.exact(target.changes),
        "group": target.target_group.split("/")[1] if "/" in target.target_group else target.target_group,
    }


def summary(answer: Answer[list[TargetNow]]) -> list[Component]:
    """How many targets are in which state."""
    if isinstance(answer, Failed):
        return []
    states = [target.state for target in answer.rows]
    return [widgets.badge(state, f"{states.count(state)} {state}") for state in sorted(set(states))]


def timeline_figure(answer: Answer[list[Segment]], look: Look, names: Mapping[str, str]) -> Any:
    """The timeline with a height for its targets."""
    if isinstance(answer, Failed):
        return canvas.failed(look.palette, answer.message)
    figure = state_timeline(answer.rows, window=look.window, zone=look.zone, palette=look.palette, names=names)
    return figure.update_layout(height=height_of(answer.rows))


def traffic_figure(answer: Answer[Sequence[dict[str, Any]]], what: str, unit: str, look: Look,
                   names: Mapping[str, str]) -> Any:
    """Bytes or packets of the saved query `bytes_per_target`."""
    if isinstance(answer, Failed):
        return canvas.failed(look.palette, answer.message)
    pairs = [Pair(label=names.get(row["target"], str(row["target"])), given=float(row[f"{what}_given"]),
                  returned=float(row[f"{what}_returned"])) for row in answer.rows]
    figure = given_returned(pairs, unit=unit, palette=look.palette, nothing="No target was given a packet in it.")
    return figure.update_layout(height=pairs_height(pairs))
