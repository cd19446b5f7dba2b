"""Flows: find traffic by address, port, action, drop reason or target; totals, top talkers, and what was eaten."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, cast

from dash import Dash, Output, html
from dash.development.base_component import Component

from dashboards import amounts, instants, widgets
from dashboards.answers import Answer, Failed
from dashboards.console import Console, Look, rows_or
from dashboards.figures import canvas
from dashboards.figures.ranking import Bar, height_of, ranking
from dashboards.grid import Column, grid, style_for
from dashboards.instance_names import names_at
from dashboards.live import busy_flag, live
from dashboards.page_state import PageState
from dashboards.theme import state_colour_name
from queries import flows, saved_query
from queries.flows import FlowChoices, FlowFilter, FlowPage

Row = dict[str, Any]

ROWS_A_PAGE, ROWS_SHOWN = 200, 14
#: Pairs of addresses in the chart of top talkers.
TALKERS = 10
#: Eaten flows taken together in one chart; the saved query gives the greatest.
EATEN_FLOWS_MAX = 2_000
#: Protocol numbers by their usual names (IANA, "Assigned Internet Protocol Numbers").
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17}
_PROTOCOL_NAMES = {number: name.upper() for name, number in PROTOCOLS.items()} | {58: "ICMPv6", 132: "SCTP"}
#: What a record's `tcp-flags` can hold (Amazon VPC User Guide, "tcp-flags").
_TCP_FLAGS = ((1, "FIN"), (2, "SYN"), (4, "RST"), (16, "ACK"))

COLUMNS = (
    Column(field="start", title="Start", width=118, hint="Start of the record's capture window: month, day and time"),
    Column(field="source", title="Source", kind="code", width=165, grow=1),
    Column(field="destination", title="Destination", kind="code", width=165, grow=1),
    Column(field="protocol", title="Protocol", width=78),
    Column(field="flags", title="TCP flags", width=100, hint="FIN, SYN, RST and SYN-ACK seen in the window"),
    Column(field="packets", title="Packets", kind="number", width=72),
    Column(field="bytes", title="Bytes", kind="number", width=78),
    Column(field="direction", title="Direction", width=82,
           hint="ingress: handed to the endpoint; egress: came back from inspection"),
    Column(field="action", title="Action", kind="state", width=76),
    Column(field="reason", title="Drop reason", width=104),
    Column(field="target", title="Target", kind="code", width=170, hint="Point at a name to read the target's id"),
    Column(field="interface", title="Interface", kind="code", width=180),
)


def value(name: str) -> dict[str, str]:
    """The id of a filter's control."""
    return {"type": "value", "name": name}


def build(state: PageState, console: Console) -> Component:
    """The layout."""
    return html.Div([
        busy_flag("flows"), busy_flag("flows-charts"),
        _filters(state),
        html.Div(id="flows-summary", className="tiles small"),
        widgets.card("Flow records", html.Div(id="flows-note"),
                     grid("flows-grid", COLUMNS, row_id="id", nothing="No record matches"),
                     about="", identity="flows-list", tools=widgets.pager(value("flow_page"), int(state.value("flow_page")))),
        html.Div(className="thirds", children=[
            widgets.card("Top talkers", widgets.chart("flows-talkers", height=None, label="Pairs with the most bytes"),
                         about="bytes from source to destination, all flows of the range"),
            widgets.card("What the appliances ate", widgets.chart("flows-eaten", height=None,
                         label="Packets that went in and did not come back"),
                         about="packets handed over that did not come back"),
            widgets.card("Why the gateway refused", widgets.chart("flows-reasons", height=None,
                         label="Refused packets by drop reason"), about="packets by drop reason"),
        ]),
    ])


def _filters(state: PageState) -> Component:
    pairs = {
        "protocol": [(name, name.upper()) for name in PROTOCOLS],
        "action": [("ACCEPT", "ACCEPT"), ("REJECT", "REJECT")],
        "direction": [("ingress", "Handed over"), ("egress", "Came back")],
        "side": [("endpoint", "Endpoints"), ("balancer", "Balancer (GENEVE)"), ("all", "Both")],
    }
    return html.Div(className="filters", role="search", children=[
        widgets.text_field(value("address"), "Address or CIDR", state.value("address"), placeholder="10.0.2.0/24"),
        widgets.text_field(value("port"), "Port", state.value("port"), placeholder="443", width=80),
        widgets.select(value("protocol"), "Protocol", pairs["protocol"], state.value("protocol"), width=95),
        widgets.select(value("action"), "Action", pairs["action"], state.value("action"), width=110),
        widgets.select(value("reason"), "Drop reason", [], state.value("reason"), width=170),
        widgets.select(value("target"), "Target", [], state.value("target"), width=180),
        widgets.select(value("direction"), "Direction", pairs["direction"], state.value("direction"), width=125),
        widgets.select(value("side"), "Records of", pairs["side"], state.value("side"), clearable=False, width=160),
    ])


def register(app: Dash, console: Console) -> None:
    """The callbacks."""
    @live(app, console, "flows", [
        Output(value("reason"), "data"), Output(value("target"), "data"), Output("flows-summary", "children"),
        Output("flows-note", "children"), Output("flows-grid", "rowData"), Output("flows-grid", "style"),
        Output("flows-list-about", "children"),
        Output(value("flow_page"), "total"),
    ], page="flows")
    def render(look: Look) -> Any:
        return refresh(look, console)

    @live(app, console, "flows-charts", [
        Output("flows-talkers", "figure"), Output("flows-eaten", "figure"), Output("flows-reasons", "figure"),
    ], page="flows")
    def render_charts(look: Look) -> Any:
        figures = (talkers_figure, eaten_figure, reasons_figure)
        return [figure(look, console) for figure in figures]


def filter_of(look: Look) -> FlowFilter:
    """What the page's state asks for."""
    chosen = look.state.value
    return FlowFilter(
        start_s=look.window.start_s, end_s=look.window.end_s, address=chosen("address"),
        port=int(chosen("port")) if chosen("port") else None, protocol=PROTOCOLS.get(chosen("protocol")),
        action=cast(Literal["", "ACCEPT", "REJECT"], chosen("action")), drop_reason=chosen("reason"),
        target_id=chosen("target"), direction=cast(Literal["", "ingress", "egress"], chosen("direction")),
        interface=cast(Literal["endpoint", "balancer", "all"], chosen("side")),
        limit=ROWS_A_PAGE, offset=(int(chosen("flow_page")) - 1) * ROWS_A_PAGE,
    )


def refresh(look: Look, console: Console) -> list[Any]:
    """Values of all outputs but the charts."""
    wanted = filter_of(look)
    answer = console.ask(look, "flows", lambda: flows.flows(console.lake, wanted), wanted)
    offered = console.ask(look, "flow-choices", lambda: flows.choices(
        console.lake, start_s=look.window.start_s, end_s=look.window.end_s))
    names = names_at(look, console)
    reasons, target_ids = menus(offered, look, names)
    if isinstance(answer, Failed):
        return [reasons, target_ids, [], widgets.note(answer.message, "red", "Query failed."), [],
                style_for(0, ROWS_SHOWN), "", 1]
    page = answer.rows
    rows = [row_of(row, place, look, names) for place, row in enumerate(page.rows.to_pylist(), wanted.offset)]
    pages = max(1, -(-page.totals.records // ROWS_A_PAGE))
    return [reasons, target_ids, summary(page, wanted), None, rows, style_for(len(rows), ROWS_SHOWN), extent(wanted, page), pages]


def menus(offered: Answer[FlowChoices], look: Look, names: Mapping[str, str]) -> tuple[list[str], list[dict[str, str]]]:
    """Drop reasons and targets to choose from: those seen in the range, and the one chosen; targets by name."""
    seen = ([], []) if isinstance(offered, Failed) else (offered.rows.drop_reasons, offered.rows.target_ids)
    chosen = (look.state.value("reason"), look.state.value("target"))
    reasons, target_ids = (sorted({*values, one} - {""}) for values, one in zip(seen, chosen, strict=True))
    labels = {each: f"{names[each]} · {each}" if each in names else each for each in target_ids}
    return reasons, [{"value": each, "label": labels[each]} for each in sorted(target_ids, key=labels.__getitem__)]


def summary(page: FlowPage, wanted: FlowFilter) -> list[Component]:
    """Totals over all records that match, whatever page is shown.

    An endpoint records a packet when it is handed over and again when it comes back, so sums over both directions count
    it twice; the tile says so.
    """
    totals = page.totals
    twice = "" if wanted.direction or not totals.records else "handed over and came back are two records"
    number, _, unit = amounts.data(totals.bytes).partition(" ")
    return [
        widgets.tile("Records", amounts.count(totals.records), exact=amounts.exact(totals.records),
                     detail="that match, in the range"),
        widgets.tile("Packets in them", amounts.count(totals.packets), exact=amounts.exact(totals.packets),
                     detail=twice),
        widgets.tile("Data in them", number, unit=unit, exact=f"{amounts.exact(totals.bytes)} bytes", detail=twice),
        widgets.tile("Rejected packets", amounts.count(totals.rejected_packets),
                     tone="red" if totals.rejected_packets else "", exact=amounts.exact(totals.rejected_packets),
                     detail=f"in {amounts.plural(totals.rejected_records, 'record')}"),
    ]


def extent(wanted: FlowFilter, page: FlowPage) -> str:
    """Which part of the matching records the table shows."""
    if not page.rows.num_rows:
        return "nothing in this range matches" if not page.totals.records else "no more records on this page"
    first, last = wanted.offset + 1, wanted.offset + page.rows.num_rows
    return f"newest first, {first:,}–{last:,} of {page.totals.records:,}"


def row_of(row: dict[str, Any], place: int, look: Look, names: Mapping[str, str]) -> dict[str, Any]:
    """A record as a row of the table; a target is shown by its name in `names`, if it has one."""
    start: datetime = row["start_time"]
    target = row["gw_target_id"] or ""
    return {
        "id": str(place), "start": start.timestamp(),
        "start_text": instants.day_and_time(start.timestamp(), look.zone),
        "source": ending(row["pkt_srcaddr"] or row["srcaddr"], row["srcport"]),
        "destination": ending(row["pkt_dstaddr"] or row["dstaddr"], row["dstport"]),
        "protocol": protocol_name(row["protocol"]), "flags": tcp_flags(row["tcp_flags"]),
        "packets": row["packets"], "packets_text": amounts.exact(row["packets"]),
        "bytes": row["bytes"], "bytes_text": amounts.data(row["bytes"]),
        "direction": row["flow_direction"] or amounts.NOTHING,
        "action": row["action"], "action_tone": state_colour_name(row["action"] or ""),
        "reason": row["gw_drop_reason"] or "", "target": target, "target_text": names.get(target, target),
        "interface": row["interface_id"],
    }


def ending(address: str | None, port: int | None) -> str:
    """One end of a flow: `10.0.2.10:443`, `[2001:db8::1]:443`, or the address alone where there is no port."""
    text = address or amounts.NOTHING
    if not port:
        return text
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"


def protocol_name(number: int | None) -> str:
    """A protocol's usual name, else its number."""
    return amounts.NOTHING if number is None else _PROTOCOL_NAMES.get(number, str(number))


def tcp_flags(flags: int | None) -> str:
    """The flags of a record in words: 18 is `SYN ACK`."""
    return " ".join(name for bit, name in _TCP_FLAGS if (flags or 0) & bit)


def talkers_figure(look: Look, console: Console) -> Any:
    """The pairs of addresses with the most bytes."""
    def bar(row: Row) -> Bar:
        packets = amounts.plural(row["packets"], "packet")
        return Bar(label=f"{row['source']} → {row['destination']}", value=row["bytes"],
                   detail=f"{amounts.data(row['bytes'])}, {packets}, {amounts.plural(row['flows'], 'flow')}")
    answer = _saved(look, console, "top_pairs_packet_level", limit=TALKERS)
    return _ranked(answer, lambda rows: [bar(row) for row in rows], look, unit="Bytes", nothing="No flow record in this range")


def eaten_figure(look: Look, console: Console) -> Any:
    """The conversations of which the appliances kept most packets."""
    answer = _saved(look, console, "eaten_by_appliance", limit=EATEN_FLOWS_MAX)
    return _ranked(answer, eaten_bars, look, unit="Count", colour=look.palette.red,
                   nothing=_nothing(look, console, "No packet was missing"))


def eaten_bars(rows: Sequence[Row]) -> list[Bar]:
    """Rows of the saved query `eaten_by_appliance`, source ports taken together; a scan of ports is one bar."""
    pairs: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        pairs.setdefault((row["source"], row["destination"]), []).append(row)
    bars = []
    for (source, destination), flows_eaten in pairs.items():
        ports = {row["destination_port"] for row in flows_eaten}
        where = ending(destination, ports.pop()) if len(ports) == 1 else f"{destination}, {len(ports)} ports"
        given, eaten = (sum(row[name] for row in flows_eaten) for name in ("packets_given", "packets_eaten"))
        bars.append(Bar(label=f"{source} → {where}", value=eaten,
                        detail=f"{eaten:,} of {amounts.plural(given, 'packet')} did not come back, "
                               f"{amounts.plural(len(flows_eaten), 'flow')}"))
    return bars


def reasons_figure(look: Look, console: Console) -> Any:
    """Packets that the gateway itself refused, by its drop reason."""
    def bar(row: Row) -> Bar:
        return Bar(label=row["reason"], value=row["packets"],
                   detail=f"{amounts.plural(row['packets'], 'packet')} from {amounts.plural(row['sources'], 'source')}")
    return _ranked(_saved(look, console, "rejected_by_reason"), lambda rows: [bar(row) for row in rows], look,
                   unit="Count", colour=look.palette.red, nothing=_nothing(look, console, "The gateway refused nothing"))


def _nothing(look: Look, console: Console, words: str) -> str:
    """What an empty chart says: nothing bad was recorded, or nothing was recorded at all, which is no good news."""
    recorded = [_saved(look, console, "top_pairs_packet_level", limit=TALKERS), _saved(look, console, "rejected_by_reason")]
    return words if any(rows_or(answer, []) for answer in recorded) else "No flow record in this range"


def _ranked(answer: Answer[list[Row]], bars_of: Callable[[Sequence[Row]], list[Bar]], look: Look, *, unit: str,
            colour: str | None = None, nothing: str = "") -> Any:
    if isinstance(answer, Failed):
        return canvas.failed(look.palette, answer.message).update_layout(height=height_of([]))
    bars = bars_of(answer.rows)
    figure = ranking(bars, unit=unit, palette=look.palette, colour=colour, nothing=nothing)
    return figure.update_layout(height=height_of(bars))


def _saved(look: Look, console: Console, name: str, **parameters: int) -> Answer[list[Row]]:
    window = look.window
    return console.ask(look, name, lambda: saved_query.run(
        console.lake, name, start_s=window.start_s, end_s=window.end_s, parameters=parameters).to_pylist())
