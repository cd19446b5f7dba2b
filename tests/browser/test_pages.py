"""Every page in both themes and widths: no error, nobody else asked, the lake's own numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import SIZES, THEMES, WAIT_MS_MAX, Watch, settled, wait_for
from tests.browser.screenshots import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

#: What each page must show of the small lake.
SHOWN = {
    "overview": ["Healthy targets", "42", "2.5", "KB/s"],
    "targets": ["i-0a11", "i-0b22", "i-0c33", "3 healthy", "healthy"],
    "flows": ["362", "2.16", "203.0.113.10:40000", "no_healthy_target"],
    "sql": ["flow_logs", "gw_drop_reason"],
    "audit": ["CreateLoadBalancer", "DeleteLoadBalancer", "inspection", "ResourceInUse"],
    "alarms": ["gatewatch-unhealthy-hosts-appliances", "UnHealthyHostCount > 0", "In alarm"],
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_the_lake_and_asks_nobody_else(
    browser: Any, console_url: str, pictures: Path, name: str, theme: str, size: str,
) -> None:
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(WAIT_MS_MAX)
    page, watch = context.new_page(), Watch()
    watch.follow(page)
    page.goto(f"{console_url}{PAGES[name]}?theme={theme}&range=15m")
    settled(page)
    page.screenshot(path=pictures / f"{name}-{theme}-{size}.png", full_page=True)
    # What a narrow table scrolls away is not in the document's text, so the words are looked for in the wide one.
    words = SHOWN[name] if size == "wide" else SHOWN[name][:1]
    for word in words:
        page.wait_for_function("word => document.body.innerText.includes(word)", arg=word, timeout=WAIT_MS_MAX)
    wait_for(page, "document.documentElement.dataset.mantineColorScheme", theme)
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width, timeout=WAIT_MS_MAX)
    assert watch.problems() == []
    context.close()


def test_everything_can_be_reached_and_is_named(page: Any, console_url: str) -> None:
    """Each control has a name for those who cannot see it, and the keyboard gets past the menu first."""
    for path in PAGES.values():
        page.goto(console_url + path)
        settled(page)
        nameless = page.evaluate(
            """() => [...document.querySelectorAll('button, input:not([type=hidden]), a[href], textarea, select')]
                .filter((e) => e.offsetParent && !e.closest('.ag-root-wrapper'))
                .filter((e) => !e.textContent.trim() && !e.getAttribute('aria-label') && !e.title
                        && !(e.labels && e.labels.length) && !e.getAttribute('aria-labelledby'))
                .map((e) => e.outerHTML.slice(0, 200))""")
        assert nameless == [], path
        wait_for(page, "document.querySelectorAll('h1').length", 1)
    page.goto(console_url)
    settled(page)
    page.keyboard.press("Tab")
    wait_for(page, "document.activeElement.innerText", "Skip to content")
