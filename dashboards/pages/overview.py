"""Overview: the load balancer's numbers and the AWS/GatewayELB charts, in the arrangement of CloudWatch's dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Output, html
from dash.development.base_component import Component

from dashboards import amounts, books, instants, widgets
from dashboards.answers import Answer, Failed, Good
from dashboards.console import Console, Look, rows_or
from dashboards.figures import canvas
from dashboards.figures.sparkline import sparkline
from dashboards.figures.time_series import Trace, time_series
from dashboards.live import busy_flag, live
from dashboards.page_state import PageState
from gatewatch.records.tables import METRICS
from queries import flows, overview
from queries.metric_statistics import Point
from queries.overview import CHARTS, Chart, ChartDefinition

#: Metrics that are published only when not zero (AWS: "Reporting criteria: there is a nonzero value").
_NONZERO_ONLY = {"ActiveFlowCount", "NewFlowCount", "ProcessedBytes", "RejectedFlowCount_TCP"}
#: Metrics without the dimension AvailabilityZone.
_WITHOUT_ZONES = {"ConsumedLCUs"}


def chart_id(metric_name: str) -> dict[str, str]:
    """The id of a metric's figure; the type lets a drag in any chart change the time range."""
    return {"type": "chart", "name": f"overview-{metric_name}"}


def build(state: PageState, console: Console) -> Component:
    """The layout."""
    return html.Div([
        busy_flag("overview"), busy_flag("overview-books"),
        html.Div(className="filters", children=[
            widgets.select({"type": "value", "name": "lb"}, "Load balancer", [], state.value("lb"), width=260,
                           placeholder="No load balancer has metrics in this range", clearable=False),
            dmc.Select(id={"type": "value", "name": "by"}, label="Lines", size="xs", w=150, clearable=False,
                       value=state.value("by") or "", data=[
                {"value": "", "label": "Whole balancer"}, {"value": "zone", "label": "Each zone"}]),
        ]),
        html.Div(id="overview-tiles", className="tiles"),
        html.Div(className="charts", children=[_chart_card(definition) for definition in CHARTS]),
        books.card(),
    ])


def _chart_card(definition: ChartDefinition) -> Component:
    name = definition.metric_name
    return widgets.card(
        name, widgets.chart(chart_id(name), label=f"{name}, {definition.statistic}, over time"),
        identity=f"overview-{name}", about=definition.statistic.value,
    )


def register(app: Dash, console: Console) -> None:
    """The callbacks."""
    @live(app, console, "overview", [
        Output({"type": "value", "name": "lb"}, "data"), Output({"type": "value", "name": "lb"}, "placeholder"),
        Output("overview-tiles", "children"),
        *(Output(chart_id(each.metric_name), "figure") for each in CHARTS),
        *(Output(f"overview-{each.metric_name}-about", "children") for each in CHARTS),
    ], page="overview")
    def render(look: Look) -> Any:
        return refresh(look, console)

    @live(app, console, "overview-books", [Output("books-table", "children"), Output("books-about", "children")],
          page="overview")
    def render_books(look: Look) -> Any:
        return books.content(look, console)


def refresh(look: Look, console: Console) -> list[Any]:
    """Values of all outputs: choices, tiles, figures, lines about the figures."""
    window, lake = look.window, console.lake
    seen = console.ask(look, "load-balancers", lambda: overview.load_balancers(
        lake, start_s=window.start_s, end_s=window.end_s))
    chosen = look.state.value("lb") or next((each.dimension for each in rows_or(seen, [])), "")
    names = {each.dimension: each.name for each in rows_or(seen, [])}
    if chosen:
        names.setdefault(chosen, overview.name_of(chosen))
    choices = [{"value": dimension, "label": name} for dimension, name in names.items()]
    answer = _charts(look, console, chosen) if isinstance(seen, Good) else seen
    late_since_s = console.late_since_s(look, METRICS.name)
    figures = [figure_of(answer, place, look, late_since_s) for place in range(len(CHARTS))]
    # Without a choice the first is shown, named in grey; choosing it would put it into the URL and ask twice.
    return [choices, names.get(chosen, "None in this range"), tiles(answer, look, console), *figures,
            *(about(answer, place) for place in range(len(CHARTS)))]


def _charts(look: Look, console: Console, load_balancer: str) -> Answer[list[Chart]]:
    window = look.window
    period_s = overview.period_for(
        window.start_s, window.end_s, stored_period_s=console.settings.metrics_period_s)
    by = "zone" if look.state.value("by") == "zone" else ""
    # A period still open would read as a dip, since its sum is not yet whole: the charts end before it.
    end_s = complete_until(look, console) if window.live else window.end_s
    return console.ask(look, "charts", lambda: [_closed(chart, end_s) for chart in overview.charts(
        console.lake, load_balancer=load_balancer, start_s=window.start_s, end_s=window.end_s, period_s=period_s,
        by="zone" if by else "",
    )], load_balancer, by, end_s)


def complete_until(look: Look, console: Console) -> float:
    """Up to when the lake has all metrics: the end of the newest stored period."""
    answer = console.freshness(look, METRICS.name)
    newest_s = answer.rows.newest_s if isinstance(answer, Good) else None
    return look.now_s if newest_s is None else min(look.now_s, newest_s + console.settings.metrics_period_s)


def _closed(chart: Chart, end_s: float) -> Chart:
    """The chart without periods that end after `end_s`."""
    lines = [replace(line, points=[point for point in line.points if point.timestamp_s + chart.period_s <= end_s])
             for line in chart.lines]
    return replace(chart, lines=lines)


def figure_of(answer: Answer[list[Chart]], place: int, look: Look, late_since_s: float | None) -> Any:
    """The figure at a place of `CHARTS`: data, no data, late data or query failed."""
    if isinstance(answer, Failed):
        return canvas.failed(look.palette, answer.message)
    chart = answer.rows[place]
    colour = look.palette.red if chart.definition.metric_name == "UnHealthyHostCount" else None
    return time_series(
        [Trace(label=line.label, points=line.points, colour=colour if len(chart.lines) == 1 else None)
         for line in chart.lines],
        unit=chart.definition.unit, period_s=chart.period_s, window=look.window, zone=look.zone, palette=look.palette,
        late_since_s=late_since_s, filled=True, nothing=why_empty(answer.rows, place, look),
    )


def why_empty(charts: Sequence[Chart], place: int, look: Look) -> str:
    """Why a metric may have no point where others of the balancer have some; nothing where all are empty."""
    name = charts[place].definition.metric_name
    if not any(line.points for chart in charts for line in chart.lines):
        return ""
    if look.state.value("by") == "zone" and name in _WITHOUT_ZONES:
        return "It is published for the whole balancer only."
    return "It is published only when it is not zero." if name in _NONZERO_ONLY else ""


def about(answer: Answer[list[Chart]], place: int) -> str:
    """What a chart shows, in its card's head: `Sum, 10 s, Count`."""
    definition = CHARTS[place]
    period = "" if isinstance(answer, Failed) else f" · {amounts.duration(answer.rows[place].period_s)}"
    return f"{definition.statistic.value}{period} · {definition.unit}"


def tiles(answer: Answer[list[Chart]], look: Look, console: Console) -> list[Component]:
    """The big numbers, newest period first of all; a dash where nothing is known."""
    if isinstance(answer, Failed):
        return [widgets.note(answer.message, "red", "Query failed.")]
    charts = {chart.definition.metric_name: chart for chart in answer.rows}
    end = _end(answer.rows, look, console)
    made = [
        _tile("Healthy targets", charts["HealthyHostCount"], look, end, tone="green"),
        _tile("Unhealthy targets", charts["UnHealthyHostCount"], look, end, tone="red"),
        _tile("Active flows", charts["ActiveFlowCount"], look, end),
        _tile("New flows", charts["NewFlowCount"], look, end, per_second=True),
        _tile("Processed", charts["ProcessedBytes"], look, end, per_second=True),
    ]
    return [*made, _rejected_tile(look, console)]


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Where the range's data ends: up to when all of it is there, whether that is as late as can be expected, and
    whether the gateway reported anything then, without which "nothing reported" is not zero."""

    until_s: float
    fresh: bool
    reporting: bool


def _end(charts: Sequence[Chart], look: Look, console: Console) -> End:
    complete_s = complete_until(look, console)
    until_s = min(complete_s, look.window.end_s)
    late = look.window.end_s > complete_s
    if look.window.live:
        late = console.late_since_s(look, METRICS.name) is not None
    reporting = any(latest(summed(chart), chart.period_s, until_s) for chart in charts)
    return End(until_s=until_s, fresh=not late, reporting=reporting)


def _tile(title: str, chart: Chart, look: Look, end: End, *, tone: str = "", per_second: bool = False) -> Component:
    points = summed(chart)
    newest = latest(points, chart.period_s, end.until_s)
    name, unit = chart.definition.metric_name, chart.definition.unit
    silent = 0.0 if end.fresh and end.reporting and name in _NONZERO_ONLY else None
    value = newest.value if newest else silent
    if per_second and value is not None:
        value, unit = value / chart.period_s, f"{unit}/Second"
    number, _, suffix = amounts.of_unit(value, unit).partition(" ")
    if per_second and not suffix and number.endswith("/s"):
        number, suffix = number.removesuffix("/s"), "/s"
    colour = getattr(look.palette, tone) if tone else look.palette.series[0]
    # A number of sick targets is red only when there are any.
    shown = tone if value and tone == "red" else ""
    moment = f"{'at' if end.fresh else 'last known at'} {instants.time_of_day(newest.timestamp_s, look.zone)}" if newest else ""
    return widgets.tile(
        title, number, unit=suffix, tone=shown, exact=f"{name}: {amounts.exact(value)} {unit}",
        detail=moment or ("none reported" if value == 0 else "no data"),
        picture=sparkline(points, start_s=look.window.start_s, end_s=look.window.end_s, colour=colour),
    )


def summed(chart: Chart) -> list[Point]:
    """The whole balancer's points where a chart may have a line per zone."""
    totals: dict[int, float] = {}
    for line in chart.lines:
        for point in line.points:
            totals[point.timestamp_s] = totals.get(point.timestamp_s, 0.0) + point.value
    return [Point(timestamp_s=time_s, value=value) for time_s, value in sorted(totals.items())]


def latest(points: Sequence[Point], period_s: int, until_s: float) -> Point | None:
    """The newest point, if it is of one of the last two whole periods before `until_s`; older ones are history."""
    return points[-1] if points and points[-1].timestamp_s + 3 * period_s > until_s else None


def _rejected_tile(look: Look, console: Console) -> Component:
    window = look.window
    answer = console.ask(look, "rejected", lambda: flows.flows(console.lake, flows.FlowFilter(
        start_s=window.start_s, end_s=window.end_s, limit=1)).totals)
    if isinstance(answer, Failed):
        return widgets.tile("Rejected", amounts.NOTHING, detail=answer.message[:60])
    totals = answer.rows
    if not totals.records:  # nobody recorded anything, so that nobody knows of a refusal
        return widgets.tile("Rejected", amounts.NOTHING, detail="no flow record in this range")
    number = amounts.count(totals.rejected_packets)
    return widgets.tile(
        "Rejected", number, unit="packets", tone="red" if totals.rejected_packets else "",
        exact=f"{amounts.exact(totals.rejected_packets)} packets in {amounts.exact(totals.rejected_records)} records",
        detail=f"{amounts.plural(totals.rejected_records, 'record')} in this range",
    )
