"""What is wrong now, on every page: a badge in the header, and the sentences with what to do across the top.

The same conditions as `gatewatch status` and `gatewatch health` tell (`queries.conditions`), in the reader's clock.
"""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboards import amounts, instants, widgets
from dashboards.answers import Answer, Failed
from dashboards.console import Console, Look
from queries.conditions.condition import Condition, Severity
from queries.conditions.evaluation import evaluate
from queries.conditions.reading import read
from queries.conditions.verdict import sentence, verdict

#: Sentences shown at once; further ones are counted.
SHOWN_MAX = 6


def holding(look: Look, console: Console) -> Answer[list[Condition]]:
    """The conditions that hold now, whatever range is looked at."""
    return console.ask(look, "conditions", lambda: evaluate(read(console.settings.data_path), console.clock()))


def badge(look: Look, console: Console) -> Component | None:
    """The verdict in two words; none where nobody ever ran who could tell."""
    answer = holding(look, console)
    if isinstance(answer, Failed):
        return widgets.badge("ALARM", "Unknown")
    if not answer.rows and not console.heard_of_anyone(look):
        return None
    found = verdict(answer.rows)
    if found.severity is None:
        return widgets.badge("OK", "All well")
    worst = [each for each in answer.rows if each.kind.severity is found.severity]
    text = worst[0].kind.heading if len(worst) == 1 else f"{worst[0].kind.heading} +{len(answer.rows) - 1}"
    return widgets.badge("ALARM" if found.severity is Severity.CRITICAL else "INSUFFICIENT_DATA", text)


def sentences(look: Look, console: Console) -> list[Component]:
    """A note for each condition, worst first; nothing when all is well."""
    answer = holding(look, console)
    if isinstance(answer, Failed):
        return [widgets.note(answer.message, "red", "It cannot be told what is wrong.")]
    notes = [_note(each, look) for each in answer.rows[:SHOWN_MAX]]
    more = len(answer.rows) - SHOWN_MAX
    return [*notes, widgets.note(f"`gatewatch status` tells {amounts.plural(more, 'more condition')}.", "grey", "")] if more > 0 else notes


def _note(condition: Condition, look: Look) -> Component:
    text = sentence(condition, lambda time_s: instants.date_and_time(time_s, look.zone))
    heading = f"{condition.kind.heading}:"
    tone = "red" if condition.kind.severity is Severity.CRITICAL else "amber"
    return widgets.note(
        [text.removeprefix(heading).strip(), html.Div(condition.kind.action, className="fine")], tone, heading)
