from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from dashboards.answers import Failed, Good
from dashboards.console import Console, rows_or
from gatewatch.records.tables import FLOW_LOGS, METRICS
from queries.freshness import FreshnessState
from tests.dashboards.small_lake import END_S, console_of, look_at


def test_a_look_places_the_url_in_time_zone_and_theme(console: Console) -> None:
    look = console.look("/flows?range=5m&refresh=5s&clock=local&port=443", "dark", "Asia/Tokyo")
    assert (look.state.page, look.state.value("port"), look.palette.name) == ("flows", "443", "dark")
    assert (look.window.end_s - look.window.start_s, look.window.live) == (300, True)
    assert str(look.zone) == "Asia/Tokyo"
    assert look.keep_s == 4.5


def test_ten_tabs_of_one_tick_ask_the_lake_once(console: Console) -> None:
    asked: list[int] = []
    for _ in range(10):
        look = look_at(console, "/?refresh=10s")
        console.ask(look, "test", lambda: asked.append(1))
    assert len(asked) == 1
    console.ask(look_at(console, "/?refresh=10s&range=5m"), "test", lambda: asked.append(1))
    assert len(asked) == 2


def test_freshness_against_the_period_of_each_table(small_lake: Path) -> None:
    for later_s, wanted in ((0, FreshnessState.FRESH), (120, FreshnessState.LATE)):
        console = console_of(small_lake, lambda later_s=later_s: float(END_S + later_s))
        look = look_at(console, "/")
        for table in (FLOW_LOGS.name, METRICS.name):
            answer = console.freshness(look, table)
            assert isinstance(answer, Good)
            assert answer.rows.state is wanted
        console.close()


def test_only_a_live_page_waits_for_data(small_lake: Path) -> None:
    console = console_of(small_lake, lambda: float(END_S + 120))
    assert console.late_since_s(look_at(console, "/?range=15m"), METRICS.name) == END_S - 10
    past = "/?range=2026-11-23T01:00:00Z/2026-11-23T01:10:00Z"
    assert console.late_since_s(look_at(console, past), METRICS.name) is None
    console.close()


def test_nothing_is_late_where_nothing_ever_came(empty_console: Console) -> None:
    assert empty_console.late_since_s(look_at(empty_console, "/"), METRICS.name) is None


def test_slow_work_does_not_hold_up_other_work(console: Console) -> None:
    release = threading.Event()

    async def both() -> str:
        slow = asyncio.ensure_future(console.in_thread(lambda: release.wait(60)))
        quick = await console.in_thread(lambda: "quick")
        assert not slow.done()
        release.set()
        assert await slow
        return quick

    assert asyncio.run(both()) == "quick"


def test_statements_have_threads_of_their_own(console: Console) -> None:
    async def name(run: object) -> str:
        return await run(lambda: threading.current_thread().name)  # type: ignore[operator]

    assert asyncio.run(name(console.in_sql_thread)).startswith("console-sql")
    assert asyncio.run(name(console.in_thread)).startswith("console-query")


def test_the_status_counts_questions(console: Console) -> None:
    look = look_at(console, "/")
    console.ask(look, "one", lambda: 1)
    console.ask(look, "one", lambda: 1)
    assert console.status()["questions"] == {
        "asked": 2, "answered": 1, "kept": 1, "waited": 0, "failed": 0, "held": 1}


def test_rows_of_a_failure_are_the_others() -> None:
    assert rows_or(Good([1]), []) == [1]
    assert rows_or(Failed("why"), []) == []
