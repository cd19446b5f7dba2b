"""Alarms: every alarm's state in a grid, its metric with the threshold, and its history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import Dash, Output, html
from dash.development.base_component import Component

from dashboards import amounts, instants, page_state, widgets
from dashboards.answers import Answer, Failed
from dashboards.console import Console, Look
from dashboards.figures import canvas
from dashboards.figures.time_series import Threshold, Trace, time_series
from dashboards.grid import Column, grid, style_for
from dashboards.live import busy_flag, live
from dashboards.page_state import PageState
from dashboards.theme import state_colour_name
from gatewatch.records.tables import METRICS
from queries import metric_statistics
from queries.alarms.state import AlarmNow, HistoryItem, read_alarms, read_history
from queries.metric_statistics import Series, Statistic

HISTORY_ROWS, ROWS_SHOWN = 200, 12

#: How CloudWatch writes an alarm's comparison.
_COMPARISONS = {
    "GreaterThanOrEqualToThreshold": "≥", "GreaterThanThreshold": ">", "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "≤",
}
_TYPES = {"StateUpdate": "State update", "Action": "Action", "ConfigurationUpdate": "Configuration update"}

COLUMNS = (
    Column(field="time", title="Date", width=155),
    Column(field="alarm", title="Alarm", width=255),
    Column(field="type", title="Type", width=165),
    Column(field="to", title="State", kind="state", width=135),
    Column(field="summary", title="Description", width=245, tooltip="summary"),
    Column(field="reason", title="Reason", width=240, grow=2, tooltip="reason"),
)


def build(state: PageState, console: Console) -> Component:
    """The layout."""
    return html.Div([
        busy_flag("alarms"),
        html.Div(id="alarms-grid", className="alarm-grid"),
        widgets.card("Metric", widgets.chart({"type": "chart", "name": "alarm-graph"}, height=250,
                     label="The alarm's metric and its threshold"), identity="alarm-graph", about=""),
        widgets.card("History", html.Div(id="alarms-note"),
                     grid("alarms-history", COLUMNS, row_id="id", nothing="Nothing has happened yet"),
                     identity="alarm-history", about=""),
    ])


def register(app: Dash, console: Console) -> None:
    """The callbacks."""
    @live(app, console, "alarms", [
        Output("alarms-grid", "children"), Output({"type": "chart", "name": "alarm-graph"}, "figure"),
        Output("alarm-graph-about", "children"), Output("alarms-note", "children"),
        Output("alarms-history", "rowData"), Output("alarms-history", "style"), Output("alarm-history-about", "children"),
    ], page="alarms")
    def render(look: Look) -> Any:
        return refresh(look, console)


def refresh(look: Look, console: Console) -> list[Any]:
    """Values of all outputs."""
    data = console.settings.data_path
    alarms = console.ask(look, "alarms", lambda: read_alarms(data))
    wanted = look.state.value("alarm")
    history = console.ask(look, "alarm-history", lambda: read_history(
        data, alarm_name=wanted, limit=HISTORY_ROWS), wanted)
    note, rows = None, []
    if isinstance(history, Failed):
        note = widgets.note(history.message, "red", "Query failed.")
    else:
        rows = [row_of(item, look) for item in history.rows]
    which = f"of {wanted}, newest first" if wanted else "of all alarms, newest first"
    return [cards(alarms, look), *graph(alarms, look, console), note, rows, style_for(len(rows), ROWS_SHOWN), which]


def chosen(alarms: Sequence[AlarmNow], name: str) -> AlarmNow | None:
    """The alarm whose metric is shown: the one named, else the first that is in alarm, else the first."""
    named = [alarm for alarm in alarms if alarm.name == name]
    sick = [alarm for alarm in alarms if alarm.state == "ALARM"]
    return next(iter([*named, *sick, *alarms]), None)


def cards(answer: Answer[list[AlarmNow]], look: Look) -> list[Component]:
    """A card for each alarm, which chooses it."""
    if isinstance(answer, Failed):
        return [widgets.note(answer.message, "red", "Query failed.")]
    if not answer.rows:
        return [widgets.note("No alarm exists yet; the alarms service makes its default alarms when it starts.")]
    shown = chosen(answer.rows, look.state.value("alarm"))
    return [_card(alarm, alarm is shown, look) for alarm in answer.rows]


def _card(alarm: AlarmNow, shown: bool, look: Look) -> Component:
    href = page_state.encode(look.state.changed("alarm", alarm.name))
    age_s = look.now_s - alarm.state_changed_s
    tone = state_colour_name(alarm.state)
    return widgets.link(html.Div(className=f"alarm-card {tone}{' shown' if shown else ''}", children=[
        html.Div([html.Span(alarm.name, className="alarm-name"), widgets.badge(alarm.state, _words(alarm.state))],
                 className="alarm-head"),
        html.Div(condition(alarm), className="alarm-condition"),
        html.Div(alarm.reason, className="alarm-reason"),
        html.Div(f"since {instants.date_and_time(alarm.state_changed_s, look.zone)}, "
                 f"{amounts.duration(max(0, int(age_s)))}", className="fine"),
    ]), href)


def _words(state: str) -> str:
    return {"OK": "OK", "ALARM": "In alarm"}.get(state, "Insufficient data")


def condition(alarm: AlarmNow) -> str:
    """The alarm's condition as CloudWatch writes it: `UnHealthyHostCount ≥ 1 for 2 datapoints within 2 minutes`."""
    sign = _COMPARISONS.get(alarm.comparison_operator, alarm.comparison_operator)
    span = amounts.duration(alarm.evaluation_periods * alarm.period_s)
    return (f"{alarm.metric_name} {sign} {amounts.exact(alarm.threshold)} for "
            f"{amounts.plural(alarm.datapoints_to_alarm, 'datapoint')} within {span}")


def graph(answer: Answer[list[AlarmNow]], look: Look, console: Console) -> tuple[Any, str]:
    """The chosen alarm's metric with its threshold, and the line at its title."""
    if isinstance(answer, Failed):
        return canvas.failed(look.palette, answer.message), ""
    alarm = chosen(answer.rows, look.state.value("alarm"))
    if alarm is None:
        return canvas.no_data(look.palette, title="No alarm, so no metric"), ""
    series = _series(alarm, look, console)
    about = f"{alarm.metric_name} · {alarm.statistic} · {amounts.duration(alarm.period_s)}"
    if isinstance(series, Failed):
        return canvas.failed(look.palette, series.message), about
    figure = time_series(
        [Trace(label=alarm.metric_name, points=series.rows.points)], unit=series.rows.unit, period_s=alarm.period_s,
        window=look.window, zone=look.zone, palette=look.palette,
        late_since_s=console.late_since_s(look, METRICS.name), filled=True,
        threshold=Threshold(value=alarm.threshold, label=_COMPARISONS.get(alarm.comparison_operator, "threshold")),
    )
    return figure, f"{about} · {series.rows.note}" if series.rows.note else about


def _series(alarm: AlarmNow, look: Look, console: Console) -> Answer[Series]:
    dimensions = tuple(sorted(alarm.dimensions.items()))
    key = (alarm.namespace, alarm.metric_name, alarm.statistic, alarm.period_s, dimensions)
    return console.ask(look, "alarm-series", lambda: metric_statistics.series(
        console.lake, namespace=alarm.namespace, metric_name=alarm.metric_name, statistic=Statistic(alarm.statistic),
        period_s=alarm.period_s, start_s=look.window.start_s, end_s=look.window.end_s, dimensions=alarm.dimensions,
    ), key)


def row_of(item: HistoryItem, look: Look) -> dict[str, Any]:
    """A history entry as a row of the table."""
    return {
        "id": str(item.id), "time": item.time_s, "time_text": instants.date_and_time(item.time_s, look.zone),
        "alarm": item.alarm_name, "type": _TYPES.get(item.item_type, item.item_type), "to": item.to_state,
        "to_text": _words(item.to_state) if item.to_state else amounts.NOTHING,
        "to_tone": state_colour_name(item.to_state), "summary": item.summary, "reason": item.reason,
    }
