"""What stands across the top of every page when something is missing: the lake, a service, or data as new as the range.

"Nothing happened", "nothing was recorded" and "nobody runs who could record it" look alike in a chart; here the
difference is said in words.  What is wrong altogether is `conditions`' to say, and comes first.
"""

from __future__ import annotations

from dash.development.base_component import Component

from dashboards import amounts, instants, widgets
from dashboards.answers import Answer, Failed
from dashboards.conditions import sentences
from dashboards.console import Console, Look
from gatewatch.records.tables import FLOW_LOGS, METRICS
from queries.freshness import Freshness, FreshnessState

_FLOW, _METRIC = (FLOW_LOGS.name, "flow record"), (METRICS.name, "metric")
#: The tables that come in all the time, by the pages that show them; what happens now and then is never late.
_WAITS_FOR = {"overview": (_FLOW, _METRIC), "targets": (_FLOW,), "flows": (_FLOW,), "alarms": (_METRIC,)}


def notices(look: Look, console: Console) -> list[Component]:
    """The sentences that hold for a page now; none when all is well."""
    flow, metric = (console.freshness(look, table) for table in (FLOW_LOGS.name, METRICS.name))
    for answer in (flow, metric):
        if isinstance(answer, Failed):
            return [widgets.note(answer.message, "red", "The lake cannot be read.")]
    wrong = sentences(look, console) if look.window.live or look.state.page == "overview" else []
    all_silent = not console.heard_lately(look)
    if _nothing_in(flow) and _nothing_in(metric):
        return [*wrong, widgets.note(
            f"No flow record and no metric has come into {console.settings.data} yet. Start `gatewatch demo`, or "
            "`gatewatch up` with this --data; the first records come after one capture window.", "grey", "The lake is empty.",
        )]
    if all_silent:  # then all data is late, and that says it
        return wrong
    late = lateness(look, console) if look.window.live else range_after_the_end(look, flow, metric)
    return [*wrong, *late]


def _nothing_in(answer: Answer[Freshness]) -> bool:
    return not isinstance(answer, Failed) and answer.rows.state is FreshnessState.NO_DATA


def lateness(look: Look, console: Console) -> list[Component]:
    """A sentence when a live page waits for data."""
    late: list[str] = []
    for table, what in _WAITS_FOR.get(look.state.page, ()):
        answer = console.freshness(look, table)
        if isinstance(answer, Failed):
            continue
        if answer.rows.state is FreshnessState.LATE and answer.rows.newest_s is not None:
            moment = instants.date_and_time(answer.rows.newest_s, look.zone)
            age = amounts.duration(answer.rows.age_s)
            late.append(f"The newest {what} is from {moment}, {age} ago.")
    return [widgets.note(" ".join(late), "amber", "Data is late.")] if late else []


def range_after_the_end(look: Look, *answers: Answer[Freshness]) -> list[Component]:
    """A sentence when a range that was chosen begins after the newest row, so that nothing can be in it."""
    newest = [answer.rows.newest_s for answer in answers if not isinstance(answer, Failed) and answer.rows.newest_s is not None]
    if look.state.page not in _WAITS_FOR or not newest or max(newest) >= look.window.start_s:
        return []
    moment = instants.date_and_time(max(newest), look.zone)
    return [widgets.note(f"The newest data is from {moment}, before this range begins.", "grey", "Nothing in this range.")]
