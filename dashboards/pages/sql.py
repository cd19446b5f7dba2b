"""SQL: an editor, the tables there are, saved queries, and the result or the place of the error.

The statement runs in the sandboxed process of `queries.sql_runner`; opening a link fills the editor and runs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboards import amounts, widgets
from dashboards.console import Console
from dashboards.grid import grid, style_for
from dashboards.live import callback
from dashboards.page_state import PageState
from dashboards.time_range import window_of
from gatewatch.records.flow_log import FIELDS
from gatewatch.records.tables import FLOW_LOGS, TABLES
from queries import saved_query
from queries.lake import column_types
from queries.result_format import grid_values
from queries.result_text import is_number
from queries.sql_runner import SqlError, SqlResult

ROWS_SHOWN = 16
#: Rows whose values choose a column's width, and what it is at least and at most.
ROWS_MEASURED, COLUMN_PIXELS_MIN, COLUMN_PIXELS_MAX = 500, 80, 420

#: What the editor holds when nothing was asked for.
FIRST_QUERY = """SELECT action, count(*) AS records, sum(packets) AS packets, sum(bytes) AS bytes
FROM flow_logs
GROUP BY action
ORDER BY records DESC"""

#: NULL and an empty text are different answers.
_NULL = {"function": "params.value == null ? 'NULL' : params.value"}
_MEANINGS = {field.column: field.meaning for field in FIELDS.values()}


def build(state: PageState, console: Console) -> Component:
    """The layout."""
    return html.Div([
        html.Div(className="sql", children=[
            html.Div(className="sql-main", children=[_editor_card(state, console), _result_card()]),
            widgets.card("Tables", html.Div(_schema(), className="schema"), about="click a name to insert it"),
        ]),
    ])


def _editor_card(state: PageState, console: Console) -> Component:
    return widgets.card(
        "Query",
        html.Div(className="editor", children=[
            html.Pre(id="sql-paint", className="paint", **{"aria-hidden": "true"}),
            dcc.Textarea(id="sql-text", value=text_for(state, console), className="code-input", spellCheck="false",
                         wrap="off", rows=12),
            html.Label("SQL, Ctrl-Enter runs it", htmlFor="sql-text", className="unseen"),
        ]),
        html.Div(id="sql-error", role="alert"),
        html.Div(className="editor-foot", children=[
            dmc.Button("Run", id="sql-run", size="xs"),
            html.Span([html.Kbd("Ctrl"), "+", html.Kbd("Enter")], className="hint"),
            html.Span(id="sql-status", className="sql-status", role="status"),
        ]),
        dcc.Store(id="sql-place"), dcc.Store(id="sql-painted"), dcc.Store(id="sql-downloaded"),
        dcc.Input(id={"type": "value", "name": "query"}, type="hidden", value=state.value("query")),
        tools=widgets.select({"type": "value", "name": "saved"}, "", _saved_choices(), state.value("saved"),
                             placeholder="Saved queries", width=260),
    )


def _result_card() -> Component:
    return widgets.card(
        "Result", grid("sql-grid", [], nothing="Run a query to see its rows", waiting=False),
        identity="sql-result", about="",
        tools=dmc.Button("Download CSV", id="sql-download", size="xs", variant="default", disabled=True),
    )


def _saved_choices() -> list[tuple[str, str]]:
    return [(name, saved_query.load(name).title) for name in saved_query.names()]


def text_for(state: PageState, console: Console) -> str:
    """What the editor opens with: the URL's query, else its saved query over the page's range, else a first one."""
    if state.value("query"):
        return state.value("query")
    if state.value("saved") in saved_query.names():
        return saved_text(state.value("saved"), state, console)
    return FIRST_QUERY


def saved_text(name: str, state: PageState, console: Console) -> str:
    """A saved query as plain SQL over the time range that the other pages show."""
    window = window_of(state.range, now_s=console.clock(), tick_s=1)
    return saved_query.filled_in(saved_query.load(name), start_s=window.start_s, end_s=window.end_s).strip()


def _schema() -> list[Component]:
    return [html.Details(open=name == FLOW_LOGS.name, children=[
        html.Summary(html.Span(name, className="code")),
        html.Ul([html.Li([
            html.Button(column, className="insert code", title=_meaning(name, column)),
            html.Span(kind.lower().replace(" with time zone", ""), className="kind"),
        ]) for column, kind in _columns(name).items()]),
    ]) for name in TABLES]


def _meaning(table: str, column: str) -> str | None:
    return _MEANINGS.get(column) if table == FLOW_LOGS.name else None


def _columns(name: str) -> dict[str, str]:
    types = column_types(TABLES[name])
    if name == FLOW_LOGS.name:
        types |= {"start_time": "TIMESTAMP WITH TIME ZONE", "end_time": "TIMESTAMP WITH TIME ZONE"}
    return types


def register(app: Dash, console: Console) -> None:
    """The callbacks."""
    @callback(app,
        Output("sql-grid", "columnDefs"), Output("sql-grid", "rowData"), Output("sql-grid", "style"), Output("sql-status", "children"),
        Output("sql-error", "children"), Output("sql-place", "data"), Output("sql-result-about", "children"),
        Output("sql-download", "disabled"), Output({"type": "value", "name": "query"}, "value"),
        Input("sql-run", "n_clicks"), State("sql-text", "value"),
        running=[(Output("sql-run", "loading"), True, False)], prevent_initial_call=True,
    )
    async def run(clicks: int | None, text: str | None) -> Any:
        if not clicks:
            raise PreventUpdate
        return await console.in_sql_thread(outcome, console, text or "")

    @callback(app,
        Output("sql-text", "value"), Input({"type": "value", "name": "saved"}, "value"), State("state", "data"),
        prevent_initial_call=True,
    )
    async def take_saved(name: str | None, href: str | None) -> Any:
        if not name or href is None or name not in saved_query.names():
            raise PreventUpdate
        return saved_text(name, console.look(href, None, None).state, console)

    app.clientside_callback(
        ClientsideFunction(namespace="console", function_name="paint"), Output("sql-painted", "data"),
        Input("sql-text", "value"), Input("sql-place", "data"))
    app.clientside_callback(
        ClientsideFunction(namespace="console", function_name="download"), Output("sql-downloaded", "data"),
        Input("sql-download", "n_clicks"), State("sql-grid", "columnDefs"), State("sql-grid", "rowData"), prevent_initial_call=True)


def outcome(console: Console, text: str) -> list[Any]:
    """Run a statement; values of the outputs of `run`: rows, or the error and its place."""
    try:
        result = console.sql.run(text)
    except SqlError as error:
        return [[], [], style_for(0, ROWS_SHOWN), "", error_note(error), place_of(error), "", True, no_update]
    rows = "row" if len(result) == 1 else "rows"
    status = f"{len(result):,} {rows} in {amounts.duration(result.elapsed_s)}"
    cut = f"cut off at {console.settings.sql_rows_max:,} rows (sql_rows_max)" if result.truncated else ""
    return [column_definitions(result), row_data(result), style_for(len(result), ROWS_SHOWN), status, None,
            None, cut, not len(result), text]


def error_note(error: SqlError) -> Component:
    """The error in words, with its place and what to do."""
    place = f"Line {error.line}, column {error.column}: " if error.line and error.column else ""
    text = f"{place}{error.message}"
    return widgets.note([text, html.Br(), error.hint] if error.hint else text, "red", _KINDS.get(error.kind, "Failed."))


_KINDS = {
    "syntax": "Not SQL.", "name": "Unknown name.", "type": "Wrong type.", "refused": "Not allowed here.",
    "time": "Took too long.", "memory": "Needs too much memory.", "size": "Too large.", "failed": "Failed.",
}


def place_of(error: SqlError) -> dict[str, int] | None:
    """Where the editor underlines, counted from 1."""
    return {"line": error.line, "column": error.column or 1} if error.line else None


def column_definitions(result: SqlResult) -> list[dict[str, Any]]:
    """The grid's columns; fields are numbered, since a column may be called anything."""
    return [{
        "field": f"c{place}", "headerName": name, "headerTooltip": kind, "tooltipField": f"c{place}",
        "width": width_for(name, result.texts[place][:ROWS_MEASURED]),
        "valueFormatter": _NULL,
        "cellClassRules": {"null": "params.value == null"},
        **({"type": "rightAligned", "cellClass": "figures"} if is_number(kind) else {"cellClass": "code"}),
    } for place, (name, kind) in enumerate(zip(result.columns, result.types, strict=True))]


def width_for(name: str, texts: Sequence[str | None]) -> int:
    """Pixels that show a column's heading and its values; a very long text is cut and can be read by pointing at it."""
    longest = max((len(text or "NULL") for text in texts), default=0)
    return max(COLUMN_PIXELS_MIN, min(COLUMN_PIXELS_MAX, max(8 * longest + 26, 8 * len(name) + 44)))


def row_data(result: SqlResult) -> list[dict[str, Any]]:
    """The grid's rows."""
    columns = [grid_values(result, place) for place in range(len(result.columns))]
    return [{f"c{place}": value for place, value in enumerate(row)} for row in zip(*columns, strict=True)]
