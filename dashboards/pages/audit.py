"""Audit: CloudTrail's "Event history" over the lake's events; a row opens its record."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import msgspec
from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboards import amounts, instants, widgets
from dashboards.answers import Failed
from dashboards.audit_resources import resources_of
from dashboards.console import Console, Look
from dashboards.grid import Column, grid, style_for
from dashboards.live import busy_flag, callback, live
from dashboards.page_state import PageState
from queries import audit
from queries.audit import AuditEvent, AuditFilter, AuditPage

ROWS_A_PAGE, ROWS_SHOWN = 100, 18
_READ_ONLY = {"false": False, "true": True, "any": None}

#: The columns of CloudTrail's console, and the error code that its preferences can add.
COLUMNS = (
    Column(field="name", title="Event name", width=222),
    Column(field="time", title="Event time", width=155),
    Column(field="user", title="User name", width=165, grow=1),
    Column(field="source", title="Event source", width=255),
    Column(field="type", title="Resource type", width=120, tooltip="resources",
           hint="The last part of the type; point at one to read it whole"),
    Column(field="resource", title="Resource name", width=140, grow=1, tooltip="resources"),
    Column(field="error", title="Error code", kind="state", width=130, grow=1, tooltip="message"),
)


def build(state: PageState, console: Console) -> Component:
    """The layout."""
    choices = [("false", "Changes only (Read-only = false)"), ("true", "Look-ups only (Read-only = true)"),
               ("any", "All events")]

    def value(name: str) -> dict[str, str]:
        return {"type": "value", "name": name}

    return html.Div([
        busy_flag("audit"),
        html.Div(className="filters", role="search", children=[
            widgets.select(value("read"), "Read-only", choices, state.value("read"), clearable=False, width=260),
            widgets.text_field(value("name"), "Event name", state.value("name"), placeholder="RegisterTargets"),
            widgets.text_field(value("user"), "User name", state.value("user")),
            widgets.text_field(value("text"), "Text", state.value("text"), width=240,
                               placeholder="in name, user, parameters, error"),
        ]),
        widgets.card("Event history", html.Div(id="audit-note"),
                     grid("audit-grid", COLUMNS, row_id="id", selectable=True, nothing="No event matches"),
                     identity="audit-list", about="", tools=widgets.pager(value("event_page"), int(state.value("event_page")))),
        dmc.Drawer(id="audit-drawer", position="right", size="lg", opened=False, title="Event record",
                   closeButtonProps={"aria-label": "Close"}, children=html.Div(id="audit-record")),
    ])


def register(app: Dash, console: Console) -> None:
    """The callbacks."""
    @live(app, console, "audit", [
        Output("audit-note", "children"), Output("audit-grid", "rowData"), Output("audit-grid", "style"),
        Output("audit-list-about", "children"),
        Output({"type": "value", "name": "event_page"}, "total"),
    ], page="audit")
    def render(look: Look) -> Any:
        return refresh(look, console)

    @callback(app,
        Output("audit-drawer", "opened"), Output("audit-drawer", "title"), Output("audit-record", "children"),
        Input("audit-grid", "selectedRows"), prevent_initial_call=True,
    )
    async def open_record(rows: list[dict[str, Any]] | None) -> Any:
        if not rows:
            raise PreventUpdate
        return True, f"{rows[0]['name']} · {rows[0]['time_text']}", record_view(rows[0]["record"])

    @callback(app,
        Output("audit-grid", "selectedRows"), Input("audit-drawer", "opened"), State("audit-grid", "selectedRows"),
        prevent_initial_call=True,
    )
    async def let_go(opened: bool, rows: list[dict[str, Any]] | None) -> Any:
        if opened or not rows:
            raise PreventUpdate
        return []  # so that the same row can be opened again


def filter_of(look: Look) -> AuditFilter:
    """What the page's state asks for."""
    chosen = look.state.value
    return AuditFilter(
        start_s=look.window.start_s, end_s=look.window.end_s, read_only=_READ_ONLY[chosen("read")],
        event_name=chosen("name"), user_name=chosen("user"), text=chosen("text"),
        limit=ROWS_A_PAGE, offset=(int(chosen("event_page")) - 1) * ROWS_A_PAGE,
    )


def refresh(look: Look, console: Console) -> list[Any]:
    """Values of all outputs."""
    wanted = filter_of(look)
    answer = console.ask(look, "audit", lambda: audit.lookup(console.lake, wanted), wanted)
    if isinstance(answer, Failed):
        return [widgets.note(answer.message, "red", "Query failed."), [], style_for(0, ROWS_SHOWN), "", 1]
    page = answer.rows
    rows = [row_of(event, look) for event in page.events]
    return [None, rows, style_for(len(rows), ROWS_SHOWN), extent(wanted, page),
            max(1, -(-page.total // ROWS_A_PAGE))]


def extent(wanted: AuditFilter, page: AuditPage) -> str:
    """Which part of the matching events the table shows."""
    if not page.events:
        return "nothing in this range matches" if not page.total else "no more events on this page"
    return f"newest first, {wanted.offset + 1:,}–{wanted.offset + len(page.events):,} of {page.total:,}"


def row_of(event: AuditEvent, look: Look) -> dict[str, Any]:
    """An event as a row of the table, with its record to show when it is opened."""
    resources = resources_of(event.record)
    more = f" and {len(resources) - 1} more" if len(resources) > 1 else ""
    return {
        "id": event.event_id, "name": event.event_name, "time": event.event_s,
        "time_text": instants.date_and_time(event.event_s, look.zone),
        "user": event.user_name, "source": event.event_source,
        "type": resources[0].type if resources else amounts.NOTHING,
        "type_text": resources[0].type.rpartition("::")[2] if resources else amounts.NOTHING,
        "resource": resources[0].name + more if resources else amounts.NOTHING,
        "resources": "\n".join(f"{each.type} {each.name}" for each in resources),
        "error": event.error_code, "error_tone": "red" if event.error_code else "",
        "message": event.error_message, "record": event.record,
    }


def record_view(record: str) -> list[Component]:
    """A record as indented JSON with a button to copy it; text that is not JSON as it is."""
    try:
        text = msgspec.json.format(record, indent=2)
    except msgspec.DecodeError:
        text = record
    return [dmc.CopyButton(value=text, children="Copy", copiedChildren="Copied", size="xs", variant="default"),
            html.Pre(text, className="record", tabIndex=0)]
