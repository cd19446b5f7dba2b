"""Debian's Chromium driven by playwright: how it is started, and what a page must not do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

EXECUTABLES = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--no-first-run", "--disable-dev-shm-usage", "--metrics-recording-only",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
SIZES = {"wide": (1440, 900), "narrow": (390, 844)}
THEMES = ("light", "dark")
#: How long a page may take for one thing on a machine that is busy with others.
WAIT_MS_MAX = 90_000
OUR_HOSTS = {"127.0.0.1", "localhost"}


def executable() -> str | None:
    """Where Chromium is, None if it is not installed."""
    return next((path for path in EXECUTABLES if Path(path).exists()), None)


@contextmanager
def browser() -> Iterator[Any]:
    """A headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        try:
            yield chromium
        finally:
            chromium.close()


@dataclass
class Watch:
    """What a page did that it should not: errors in the console, requests to other hosts, failed answers."""

    console: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def follow(self, page: Any) -> None:
        """Listen to a page from before its first request."""
        page.on("console", lambda message: self.console.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.console.append(str(error)))
        page.on("request", lambda request: self._request(request.url))
        page.on("response", lambda response: self._response(response.url, response.status))

    def problems(self) -> list[str]:
        """Everything, as sentences."""
        return [*(f"console: {text}" for text in self.console), *(f"asked {url}" for url in self.elsewhere),
                *(f"answered {text}" for text in self.failed)]

    def _request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.hostname not in OUR_HOSTS:
            self.elsewhere.append(url)

    def _response(self, url: str, status: int) -> None:
        if status >= 400:
            self.failed.append(f"{status} {url}")


def settled(page: Any, timeout_ms: int = WAIT_MS_MAX) -> None:
    """Wait until the page shows an answer: no live callback under way, and every chart drawn."""
    page.wait_for_selector("#title:not(:empty)", timeout=timeout_ms)
    page.wait_for_function(
        """() => document.querySelector('#served-text')?.dataset.served
                 && !document.querySelector('[data-dash-is-loading="true"]')
                 && [...document.querySelectorAll('.js-plotly-plot')].every(
                        (plot) => plot._fullLayout && plot.layout && plot.layout.meta)""",
        timeout=timeout_ms)


def wait_for(page: Any, expression: str, wanted: object) -> None:
    """Wait until a JavaScript expression has this value: callbacks answer later than the event that started them."""
    page.wait_for_function(f"wanted => ({expression}) === wanted", arg=wanted, timeout=WAIT_MS_MAX)
