"""The books: what each hop from packet to lake row received, passed on, dropped and holds, and whether it adds up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboards import amounts, conditions, widgets
from dashboards.answers import Failed
from dashboards.console import Console, Look, rows_or
from gatewatch.status_file import read_all
from queries import books
from queries.books import Chain, Hop
from queries.conditions.condition import Severity

_HEADINGS = ("Hop", "Received", "Passed on", "Dropped", "Held")


def card() -> Component:
    """The empty card; `content` fills it."""
    return widgets.card("From packet to row", html.Div(id="books-table"), identity="books", about="", wide=True)


def content(look: Look, console: Console) -> tuple[Any, Any]:
    """The card's table and the line at its title."""
    answer = console.ask(look, "books", lambda: books.chain(console.settings.data_path))
    if isinstance(answer, Failed):
        return widgets.note(answer.message, "red", "Query failed."), ""
    chain = answer.rows
    names = dict.fromkeys(hop.chain for hop in chain.hops)
    tables = html.Div([table(name, chain.hops) for name in names], className="books")
    refused = refusals(rows_or(console.ask(look, "services", lambda: read_all(console.settings.data_path)), {}))
    holding = rows_or(conditions.holding(look, console), [])
    lost = any(each.kind.severity is Severity.CRITICAL for each in holding)
    notes = [html.P(text, className="fine") for text in chain.notes]
    return [*differences(chain), tables, *refused, *notes], verdict(chain, lost=lost)


def verdict(chain: Chain, *, lost: bool = False) -> Component | str:
    """Whether the books balance, in one badge; no green one while traffic or records are lost, however well that is counted."""
    if not chain.hops:
        return "No service has written its counters yet."
    if chain.balanced:
        return widgets.badge("INSUFFICIENT_DATA" if lost else "OK", "every count adds up, losses too" if lost else "every count adds up")
    return widgets.badge("ALARM", amounts.plural(len(chain.differences), "difference"))


def differences(chain: Chain) -> list[Component]:
    """A sentence for each pair of counts that should agree and do not."""
    return [widgets.note(
        f"{each.what}: expected {amounts.exact(each.expected)}, found {amounts.exact(each.found)}.", "red", each.chain,
    ) for each in chain.differences]


def refusals(services: Mapping[str, Mapping[str, Any]]) -> list[Component]:
    """What came to the nodes' UDP port 6081 and was refused, by node and reason; nothing where nothing was."""
    nodes = services.get("forwarder", {}).get("nodes", [])
    rows = [html.Tr([html.Th(node["address"], scope="row"), html.Td(reason, className="code"),
                     html.Td(amounts.exact(count), className="figures")])
            for node in nodes for reason, count in sorted(node.get("refused", {}).items())]
    if not rows:
        return []
    head = html.Thead(html.Tr([html.Th("Node", scope="col"), html.Th("Reason", scope="col"),
                               html.Th("Datagrams", scope="col", className="figures")]))
    return [html.Div(className="books-chain", children=[
        html.H3("refused on UDP 6081, in no packet's books"), html.Table([head, html.Tbody(rows)], className="books-table"),
    ])]


def table(name: str, hops: Sequence[Hop]) -> Component:
    """One chain's hops in order."""
    shown = [hop for hop in hops if hop.chain == name]
    head = html.Thead(html.Tr([html.Th(text, scope="col", className="figures" if place else "")
                               for place, text in enumerate(_HEADINGS)]))
    rows = [html.Tr([
        html.Th([hop.name, html.Span(f" {hop.unit}", className="unit"), html.Div(reasons(hop), className="unit")],
                scope="row"),
        *(html.Td(amounts.exact(value), className="figures")
          for value in (hop.received, hop.sent, sum(hop.dropped.values()), hop.held)),
    ]) for hop in shown]
    return html.Div(className="books-chain", children=[
        html.H3(name), html.Div(html.Table([head, html.Tbody(rows)], className="books-table"), className="scroll",
                                tabIndex=0, role="region", **{"aria-label": f"Counters of {name}"}),
    ])


def reasons(hop: Hop) -> str:
    """Why a hop dropped what it dropped, with counts; nothing where it dropped nothing."""
    return ", ".join(f"{reason} {amounts.exact(count)}" for reason, count in hop.dropped.items() if count)
