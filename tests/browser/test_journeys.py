"""What people do in the console: choose a time, filter, drag, go back, ask SQL, open a record."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.chromium import WAIT_MS_MAX, Watch, settled, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


CUSTOM = "document.querySelector('#custom-button').innerText"


def address(page: Any) -> dict[str, str]:
    """The parameters in the address bar."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def wait_for_address(page: Any, **wanted: str) -> None:
    page.wait_for_function(
        """wanted => Object.entries(wanted).every(
               ([name, value]) => new URLSearchParams(location.search).get(name) === value)""", arg=wanted, timeout=WAIT_MS_MAX)
    settled(page)


def wait_for_text(page: Any, text: str) -> None:
    page.wait_for_function("text => document.body.innerText.includes(text)", arg=text, timeout=WAIT_MS_MAX)


def run_clock_until(page: Any, step_ms: int, condition: Callable[[], bool]) -> None:
    """Run the page's clock on until something came to pass that takes its real time."""
    deadline_s = time.monotonic() + WAIT_MS_MAX / 1000
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come to that"
        page.clock.run_for(step_ms)


def test_the_time_range_is_in_the_address_and_survives_the_menu_and_a_reload(page: Any, console_url: str) -> None:
    page.goto(console_url + "/?refresh=off")
    settled(page)
    page.get_by_text("1h", exact=True).click()
    wait_for_address(page, range="1h")
    page.get_by_role("link", name="Flows").click()
    wait_for_address(page, range="1h")
    assert urlsplit(page.url).path == "/flows"
    page.reload()
    settled(page)
    wait_for(page, "document.querySelector('#range input:checked')?.value", "1h")


def test_back_brings_the_former_state_and_its_controls(page: Any, console_url: str) -> None:
    page.goto(console_url + "/flows?refresh=off&range=15m")
    settled(page)
    page.get_by_label("Port").fill("81")
    page.keyboard.press("Enter")
    wait_for_address(page, port="81")
    wait_for_text(page, "newest first, 1–1 of 1")
    page.go_back()
    wait_for_text(page, "of 362")
    wait_for(page, f"document.getElementById({page.get_by_label('Port').get_attribute('id')!r}).value", "")


def test_a_wrong_filter_is_explained_and_changes_nothing(page: Any, console_url: str) -> None:
    page.goto(console_url + "/flows?refresh=off&range=15m")
    settled(page)
    page.get_by_label("Address or CIDR").fill("10.0.2")
    page.keyboard.press("Enter")
    wait_for_text(page, "'10.0.2' is neither an address nor a CIDR block")
    assert "address" not in address(page)


def test_a_wrong_address_shows_the_page_and_says_what_was_left_out(page: Any, console_url: str) -> None:
    page.goto(console_url + "/flows?refresh=off&range=tomorrow&port=x")
    settled(page)
    wait_for_text(page, "'tomorrow' is not a time range")
    wait_for_text(page, "Port: 'x' is not a port")
    wait_for_text(page, "of 362")


def test_a_custom_range(page: Any, console_url: str) -> None:
    page.goto(console_url + "/?refresh=off")
    settled(page)
    page.locator("#custom-button").click()
    page.get_by_label("Last").fill("7")
    page.get_by_role("button", name="Apply").click()
    wait_for_address(page, range="7m")
    wait_for(page, CUSTOM, "Last 7m")


def test_a_drag_in_a_chart_zooms_every_chart_and_the_address(page: Any, console_url: str) -> None:
    page.goto(console_url + "/?refresh=off&range=15m")
    settled(page)
    plot = page.locator(".js-plotly-plot .nsewdrag").nth(0)
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, middle, steps=8)
    page.mouse.up()
    page.wait_for_function("() => new URLSearchParams(location.search).get('range')?.includes('Z/')")
    settled(page)
    wait_for(page, CUSTOM, "From – to")
    wait_for(page, "document.querySelectorAll('#range input:checked').length", 0)


def test_local_time_is_the_browsers(page: Any, console_url: str) -> None:
    page.goto(console_url + "/targets?refresh=off&range=15m&clock=local")
    settled(page)
    wait_for_text(page, "2026-11-23 10:06:40")
    wait_for_text(page, "JST")
    assert "JST" in page.locator("#served-text").inner_text()


def test_light_and_dark_change_page_and_figures_and_are_remembered(page: Any, console_url: str) -> None:
    page.goto(console_url + "/?refresh=off&theme=light")
    settled(page)
    # A figure that is being drawn anew has no layout for a moment.
    ink = "document.querySelector('.js-plotly-plot')?.layout?.font?.color"
    page.wait_for_function(f"() => {ink}")
    light = page.evaluate(ink)
    page.get_by_role("button", name="Switch between light and dark").click()
    wait_for_address(page, theme="dark")
    page.wait_for_function(f"light => {ink} && {ink} !== light", arg=light)
    page.goto(console_url + "/sql")
    settled(page)
    wait_for(page, "document.documentElement.dataset.mantineColorScheme", "dark")


def test_sql_runs_with_the_keyboard_and_shows_rows(page: Any, console_url: str) -> None:
    page.goto(console_url + "/sql")
    settled(page)
    editor = page.locator("#sql-text")
    editor.fill("SELECT action, sum(packets) AS p FROM flow_logs GROUP BY action ORDER BY action")
    editor.press("Control+Enter")
    wait_for_text(page, "2 rows in ")
    wait_for(page, "[...document.querySelectorAll('#sql-grid .ag-cell')].map((e) => e.innerText).join()", "ACCEPT,4327,REJECT,5")
    page.wait_for_function("() => (new URLSearchParams(location.search).get('query') || '').startsWith('SELECT action')")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    assert download.value.suggested_filename == "gatewatch-result.csv"
    assert download.value.path().read_text(encoding="utf-8") == "action,p\nACCEPT,4327\nREJECT,5\n"


def test_a_wrong_statement_is_underlined_where_it_is_wrong(page: Any, console_url: str) -> None:
    page.goto(console_url + "/sql")
    settled(page)
    page.locator("#sql-text").fill("SELECT action,\n  no_such_column\nFROM flow_logs")
    page.get_by_role("button", name="Run").click()
    wait_for_text(page, "Line 2, column 3: ")
    wait_for(page, "document.querySelector('#sql-paint .wrong-here')?.innerText", "no_such_column")
    page.locator("#sql-text").press("End")
    page.keyboard.type(" ")
    page.wait_for_function("() => !document.querySelector('.wrong-here')")


def test_a_saved_query_fills_the_editor_and_a_name_is_inserted(page: Any, console_url: str) -> None:
    page.goto(console_url + "/sql")
    settled(page)
    page.get_by_role("textbox", name="Saved queries").click()
    page.get_by_role("option", name="Who talks to whom").click()
    page.wait_for_function("() => document.getElementById('sql-text').value.includes('pkt_srcaddr AS source')")
    page.locator("#sql-text").fill("SELECT ")
    page.get_by_role("button", name="gw_drop_reason").click()
    page.wait_for_function("() => document.getElementById('sql-text').value === 'SELECT gw_drop_reason'")


def test_a_row_of_the_audit_opens_its_record(page: Any, console_url: str) -> None:
    page.goto(console_url + "/audit?refresh=off&range=15m")
    settled(page)
    page.locator("#audit-grid .ag-row").first.click()
    page.wait_for_selector("#audit-record .record")
    wait_for_text(page, '"eventName": "DeleteLoadBalancer"')
    assert '"eventName": "DeleteLoadBalancer"' in page.locator("#audit-record .record").inner_text()
    page.keyboard.press("Escape")
    page.wait_for_selector("#audit-record", state="hidden")


def test_before_the_first_answer_a_page_says_that_it_loads(page: Any, console_url: str) -> None:
    held: list[Any] = []

    def hold(route: Any) -> None:
        if any(part in (route.request.post_data or "") for part in ("flows-grid", "flows-talkers")):
            held.append(route)
        else:
            route.continue_()

    page.route("**/_dash-update-component*", hold)
    page.goto(console_url + "/flows?refresh=off&range=15m")
    wait_for_text(page, "Flow records")
    page.wait_for_function("() => document.querySelectorAll('.js-plotly-plot .annotation-text').length === 3")
    assert page.locator("#flows-grid").inner_text().strip().endswith("Loading")
    assert page.locator(".js-plotly-plot .annotation-text").all_text_contents() == ["Loading"] * 3
    assert len(held) == 2
    for route in held:
        route.continue_()
    page.unroute("**/_dash-update-component*")
    settled(page)
    wait_for_text(page, "of 362")


def test_null_is_shown_as_such_and_a_file_has_nothing_there(page: Any, console_url: str) -> None:
    page.goto(console_url + "/sql")
    settled(page)
    page.locator("#sql-text").fill("SELECT NULL AS a, '' AS b, 123456789012345 AS c")
    page.get_by_role("button", name="Run").click()
    wait_for_text(page, "1 row in ")
    cells = page.locator("#sql-grid .ag-cell")
    assert cells.all_inner_texts() == ["NULL", "", "123456789012345"]
    cut = "cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth).length"
    assert cells.evaluate_all(cut) == 0
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    assert download.value.path().read_text(encoding="utf-8").splitlines()[1] == ',"",123456789012345'


def test_a_custom_range_says_whose_time_it_is(page: Any, console_url: str) -> None:
    for clock, words in (("utc", "Times are UTC."), ("local", "Times are JST.")):
        page.goto(f"{console_url}/?refresh=off&clock={clock}")
        settled(page)
        page.locator("#custom-button").click()
        page.get_by_role("tab", name="Absolute").click()
        wait_for_text(page, words)


def test_the_icon_is_the_consoles_own(page: Any, console_url: str) -> None:
    page.goto(console_url + "/audit?refresh=off")
    settled(page)
    icon = page.locator("link[rel=icon]").get_attribute("href")
    answer = page.request.get(console_url + icon)
    assert (answer.status, answer.headers["content-type"].split(";")[0]) == (200, "image/svg+xml")
    assert page.title() == "Audit · gatewatch"


def test_text_from_the_lake_is_never_markup(browser: Any, tmp_path: Any) -> None:
    from tests.dashboards.served import free_port, served
    from tests.dashboards.small_lake import START_S, console_of
    from tests.queries.lake_builder import audit_event, flow, health_change, publish

    evil = "<img src=x onerror=document.title='owned'>"
    publish(tmp_path, "flow_logs", [flow(START_S, action="REJECT", gw_target_id=evil, gw_drop_reason=evil)])
    publish(tmp_path, "target_health", [health_change(START_S, evil, "unhealthy", reason=evil, description=evil)])
    publish(tmp_path, "audit_events", [audit_event(START_S, evil, user_name=evil, record=evil)])
    context = browser.new_context()
    context.set_default_timeout(WAIT_MS_MAX)
    with served(console_of(tmp_path, console_port=free_port())) as port:
        for path in ("/flows", "/targets", "/audit"):
            page, watch = context.new_page(), Watch()
            watch.follow(page)
            page.goto(f"http://127.0.0.1:{port}{path}?refresh=off&range=15m")
            settled(page)
            wait_for_text(page, "onerror")
            assert page.evaluate("document.querySelectorAll('img[src=x]').length") == 0
            assert "owned" not in page.title()
            assert watch.problems() == []
    context.close()


def test_a_refresh_slower_than_its_interval_does_not_pile_up(browser: Any, small_console: Any) -> None:
    import threading

    from dashboards.pages import overview

    console, monkeypatch, served = small_console
    hold, lock, running, most = threading.Event(), threading.Lock(), [0], [0]
    quick = overview.refresh

    def slow(look: Any, of: Any) -> Any:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        hold.wait(2 * WAIT_MS_MAX / 1000)
        with lock:
            running[0] -= 1
        return quick(look, of)

    monkeypatch.setattr(overview, "refresh", slow)
    with served(console) as port:
        try:
            page = browser.new_page()
            page.set_default_timeout(WAIT_MS_MAX)
            page.clock.install()
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url) if "overview-tiles" in (request.post_data or "") else None)
            page.goto(f"http://127.0.0.1:{port}/?refresh=1s")
            page.wait_for_function("() => document.querySelector('#overview-tiles')")
            run_clock_until(page, 100, lambda: running[0] > 0)
            for _ in range(30):
                page.clock.run_for(1000)
            assert len(asked) <= 2  # the first, and the one that the theme's arrival may start before it
            assert most[0] <= 2
            before = len(asked)
            hold.set()
            page.wait_for_function("() => document.querySelector('#overview-tiles').innerText.includes('Healthy')")
            run_clock_until(page, 1000, lambda: len(asked) > before)
            page.close()
        finally:
            hold.set()  # or the server would not end


def test_a_console_that_stopped_answering_is_said(browser: Any, small_console: Any) -> None:
    console, _, served = small_console
    page = browser.new_page()
    page.set_default_timeout(WAIT_MS_MAX)
    page.clock.install()
    with served(console) as port:
        page.goto(f"http://127.0.0.1:{port}/?refresh=5s")
        page.clock.run_for(2000)
        settled(page)
        assert "updated" in page.locator("#served-text").inner_text()
    page.clock.run_for(60_000)
    page.wait_for_function("() => document.querySelector('#served-text.overdue')?.innerText.startsWith('No answer')")
    page.close()
