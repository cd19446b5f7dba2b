"""A console over the small lake, served, and Chromium to look at it; a reasoned skip where there is no Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import chromium
from tests.dashboards.served import free_port, served
from tests.dashboards.small_lake import console_of, fill


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for the tests of a file; while it is there, so is playwright's event loop, which no other test wants."""
    if chromium.executable() is None:
        pytest.skip("no Chromium: apt-get install chromium")
    with chromium.browser() as started:
        yield started


@pytest.fixture(scope="session")
def small_lake_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the small lake."""
    data = tmp_path_factory.mktemp("seen-lake")
    fill(data)
    return data


@pytest.fixture(scope="session")
def console_url(small_lake_folder: Path) -> Iterator[str]:
    """Where a console over the small lake is served; its clock stands at the lake's end."""
    with served(console_of(small_lake_folder, console_port=free_port())) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def watch() -> chromium.Watch:
    """What the test's page did that it should not."""
    return chromium.Watch()


@pytest.fixture
def page(browser: Any, watch: chromium.Watch) -> Iterator[Any]:
    """A wide page that is watched from its first request; at the end nothing may have gone wrong."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="Asia/Tokyo")
    context.set_default_timeout(chromium.WAIT_MS_MAX)
    opened = context.new_page()
    watch.follow(opened)
    yield opened
    context.close()
    assert watch.problems() == []


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tests leave their screenshots."""
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture
def small_console(small_lake_folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, pytest.MonkeyPatch, Any]:
    """A console of the test's own over the small lake, not yet served; what may be patched; and how to serve it."""
    return console_of(small_lake_folder, console_port=free_port()), monkeypatch, served
