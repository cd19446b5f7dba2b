from __future__ import annotations

from pathlib import Path

import pytest

from dashboards.app import make_app
from dashboards.console import Console
from dashboards.gate.addresses import Addresses, addresses_of, may_be_a_page
from dashboards.gate.refused import Refused
from dashboards.page_state import LISTED_PAGES

ASSETS = Path(__file__).parents[3] / "dashboards" / "assets"


@pytest.fixture
def addresses(console: Console) -> Addresses:
    """The addresses of the console."""
    return addresses_of(make_app(console), ASSETS)


def status(addresses: Addresses, method: str, path: str) -> int:
    """What a request is refused with, 200 where it is not."""
    try:
        addresses.refuse(method, path)
    except Refused as refused:
        return refused.status
    return 200


def test_every_page_and_every_file_is_there(addresses: Addresses) -> None:
    pages = [page.path for page in LISTED_PAGES]
    files = ["/assets/console.js", "/assets/fonts/open-sans.woff2", "/health", "/_dash-layout", "/_dash-dependencies"]
    assert {status(addresses, method, path) for path in pages + files for method in ("GET", "HEAD")} == {200}
    assert {status(addresses, "POST", path) for path in pages + files} == {405}


def test_the_files_of_dash_are_there_before_anyone_has_seen_a_page(addresses: Addresses) -> None:
    """A browser that kept the page asks for them alone, with the version in their names."""
    suite = "/_dash-component-suites/dash/dash-renderer/build/dash_renderer"
    assert status(addresses, "GET", f"{suite}.min.js") == 200
    assert status(addresses, "GET", f"{suite}.v4_4_1m1795747726.min.js") == 200
    assert status(addresses, "GET", f"{suite}.v4_4_1m1795747726.max.js") == 404


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/not-found", "/_reload-hash", "/assets/", "/Flows", "//", "/flows//", ""])
def test_nothing_else_is(addresses: Addresses, path: str) -> None:
    assert status(addresses, "GET", path) == status(addresses, "POST", path) == 404


@pytest.mark.parametrize(("method", "path", "accept", "page"), [
    ("GET", "/nowhere", "text/html,*/*;q=0.8", True), ("HEAD", "/nowhere", "", True), ("GET", "/nowhere", "*/*", True),
    ("GET", "/nowhere", "application/json", False), ("POST", "/nowhere", "text/html", False),
    ("GET", "/_dash-nothing", "text/html", False), ("GET", "/assets/nothing", "*/*", False),
])
def test_a_person_reads_on_a_page_that_there_is_nothing(method: str, path: str, accept: str, *, page: bool) -> None:
    assert may_be_a_page(method, path, accept) is page
