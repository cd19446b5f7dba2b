"""What every page of the console stands on: settings, the lake, kept answers, threads, and how a page looks right now.

Dash's FastAPI back end runs a plain callback on the event loop, where a slow query would stop every other tab; so every
callback here is a coroutine that hands its work to a bounded pool of threads.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, TypeVar

from dashboards import instants, page_state
from dashboards.answers import Answer, Answers, Failed, Good
from dashboards.page_state import PageState
from dashboards.theme import Palette, palette_of
from dashboards.time_range import Window, window_of
from gatewatch.records.tables import FLOW_LOGS, METRICS
from gatewatch.settings import Settings
from gatewatch.status_file import SILENT_AFTER_S, read_all
from queries import freshness
from queries.freshness import Freshness, FreshnessState
from queries.lake import Lake
from queries.sql_runner import SqlRunner

Value = TypeVar("Value")

#: Questions answered at the same time; more wait their turn.
QUERY_THREADS_MAX = 8
#: Users' statements taken on at the same time; the runner has one process and they take turns.
SQL_THREADS_MAX = 2
#: Longest time an answer is kept while refresh is off, so that a reload is cheap.
KEEP_S_WITHOUT_REFRESH = 5.0
#: How long ingest may take on top of two periods before data counts as late.
LATE_MARGIN_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a page looks at one moment: what was chosen, placed in time, in the reader's zone and theme."""

    state: PageState
    window: Window
    zone: tzinfo
    palette: Palette
    now_s: float
    keep_s: float


class Console:
    """The console's dependencies.  Inert until asked; `close` ends its threads and the SQL process."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives Unix seconds."""
        self.settings = settings
        self.clock = clock
        self.lake = Lake(settings.data_path)
        self.answers = Answers(time.monotonic)
        self.sql = SqlRunner(settings)
        self.started_s = clock()
        self.callbacks = 0
        self.callback_errors = 0
        #: Requests that no page of ours makes, by reason (`gate/refused.py`).
        self.refused: Counter[str] = Counter()
        self._threads = ThreadPoolExecutor(QUERY_THREADS_MAX, thread_name_prefix="console-query")
        # A user's statement may take `sql_time_s`; it must not take a thread from the pages.
        self._sql_threads = ThreadPoolExecutor(SQL_THREADS_MAX, thread_name_prefix="console-sql")

    def look(self, href: str, theme: str | None, browser_zone: str | None) -> Look:
        """The look that a URL, a theme and a browser's zone mean now."""
        path, _, query = href.partition("?")
        state, _ = page_state.decode(path, query, refresh=self.default_refresh)
        now_s = self.clock()
        return Look(
            state=state,
            window=window_of(state.range, now_s=now_s, tick_s=state.refresh_s),
            zone=instants.zone_of(state.clock, browser_zone),
            palette=palette_of(theme),
            now_s=now_s,
            keep_s=state.refresh_s * 0.9 if state.refresh_s else KEEP_S_WITHOUT_REFRESH,
        )

    @property
    def default_refresh(self) -> str:
        """The refresh a page opens with."""
        return page_state.refresh_name(self.settings.console_refresh_s)

    def ask(self, look: Look, name: str, question: Callable[[], Value], *arguments: Hashable) -> Answer[Value]:
        """Ask with the memory of answers; `arguments` are all that the answer depends on beside the window."""
        return self.answers.ask((name, look.window, *arguments), question, keep_s=look.keep_s)

    def freshness(self, look: Look, table: str) -> Answer[Freshness]:
        """How old the newest row of a table is, against twice the period its rows come in."""
        periods = {METRICS.name: self.settings.metrics_period_s, FLOW_LOGS.name: self.settings.capture_window_s}
        expected_s = 2 * periods[table] + LATE_MARGIN_S
        return self.ask(
            look, "freshness",
            lambda: freshness.newest(self.lake, table, now_s=look.now_s, expected_s=expected_s), table,
        )

    def late_since_s(self, look: Look, table: str) -> float | None:
        """The time of the newest row where a live page waits for newer ones, else None."""
        if not look.window.live:
            return None
        answer = self.freshness(look, table)
        if isinstance(answer, Failed) or answer.rows.state is not FreshnessState.LATE:
            return None
        return answer.rows.newest_s

    def heard_of_anyone(self, look: Look) -> bool:
        """Whether any service ever wrote its status into the data folder."""
        return bool(self._heard(look))

    def heard_lately(self, look: Look) -> bool:
        """Whether a service beside this console has written its status lately, or none ever has."""
        heard = self._heard(look)
        return not heard or any(self.clock() - time_s < SILENT_AFTER_S for time_s in heard.values())

    def _heard(self, look: Look) -> dict[str, float]:
        answer = self.ask(look, "services", lambda: read_all(self.settings.data_path))
        known = {} if isinstance(answer, Failed) else answer.rows
        return {name: float(status["time"]) for name, status in known.items() if name != "console"}

    async def in_thread(self, work: Callable[..., Value], *arguments: Any) -> Value:
        """Run blocking work in the pool and wait for it without holding up the event loop."""
        self.callbacks += 1
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(*arguments))

    async def in_sql_thread(self, work: Callable[..., Value], *arguments: Any) -> Value:
        """The same for a user's statement, which has threads of its own."""
        self.callbacks += 1
        return await asyncio.get_running_loop().run_in_executor(self._sql_threads, lambda: work(*arguments))

    def status(self) -> dict[str, Any]:
        """Live counters for the status file."""
        counts = self.answers.counts
        return {
            "started": self.started_s, "callbacks": self.callbacks, "callback_errors": self.callback_errors,
            "refused": dict(self.refused),
            "questions": {"asked": counts.asked, "answered": counts.answered, "kept": counts.kept,
                          "waited": counts.waited, "failed": counts.failed, "held": len(self.answers)},
        }

    def close(self) -> None:
        """End the threads and the SQL process, and give the lake's memory back."""
        for pool in (self._threads, self._sql_threads):
            pool.shutdown(wait=False, cancel_futures=True)
        self.sql.close()
        self.lake.close()


def rows_or(answer: Answer[Value], otherwise: Value) -> Value:
    """The rows of an answer, `otherwise` where it failed (and something else on the page says so)."""
    return answer.rows if isinstance(answer, Good) else otherwise
