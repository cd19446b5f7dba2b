from __future__ import annotations

import pytest

from dashboards.gate.origins import Origins, name_in, origins_of
from dashboards.gate.refused import Refused
from gatewatch.settings import Settings

LOOPBACK = origins_of(Settings())
ANYWHERE = origins_of(Settings(console_host="0.0.0.0"))
PROXIED = origins_of(Settings(console_host="0.0.0.0", console_origins="https://Console.example,https://10.0.0.7:8443"))


def verdict(origins: Origins, method: str = "POST", **headers: str) -> str:
    """The reason of a refusal, empty where there is none."""
    try:
        origins.refuse(method, {name.replace("_", "-"): value for name, value in headers.items()})
    except Refused as refused:
        return refused.reason
    return ""


@pytest.mark.parametrize(("host", "name"), [
    ("127.0.0.1:8050", "127.0.0.1"), ("[::1]:8050", "[::1]"), ("[::1]", "[::1]"), ("localhost", "localhost"), ("", ""),
    ("console.example:", "console.example:"), ("a:b", "a:b"),
])
def test_a_host_header_has_a_name(host: str, name: str) -> None:
    assert name_in(host) == name


@pytest.mark.parametrize("host", ["127.0.0.1:8050", "localhost:8050", "[::1]:8050", "LOCALHOST"])
def test_on_loopback_this_machine_is_asked_by_its_names(host: str) -> None:
    assert verdict(LOOPBACK, host=host) == ""


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1:80@evil.example", "", "localhost."])
def test_on_loopback_no_other_name_is_taken(host: str) -> None:
    assert verdict(LOOPBACK, host=host) == "host"


@pytest.mark.parametrize(("origin", "host"), [
    ("http://127.0.0.1:8050", "127.0.0.1:8050"), ("HTTP://LocalHost:8050", "localhost:8050"), ("http://[::1]:8050", "[::1]:8050"),
    ("http://localhost", "localhost"), ("http://localhost", "localhost:80"), ("https://localhost:443", "localhost"),
])
def test_a_page_of_ours_is_asked_back_by_the_name_it_has(origin: str, host: str) -> None:
    assert verdict(LOOPBACK, host=host, origin=origin, sec_fetch_site="same-origin") == ""


@pytest.mark.parametrize("origin", [
    "null", "", "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:8051", "http://localhost:8050",
    "file://127.0.0.1:8050", "127.0.0.1:8050", "http://127.0.0.1:8050.evil.example", "http://127.0.0.1:8050@evil.example",
    "chrome-extension://127.0.0.1:8050",
])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_any_other_page_is_refused(method: str, origin: str) -> None:
    assert verdict(LOOPBACK, method, host="127.0.0.1:8050", origin=origin) == "origin"


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "nonsense"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_a_browser_says_comes_from_elsewhere_is_refused(method: str, site: str) -> None:
    assert verdict(LOOPBACK, method, host="localhost", sec_fetch_site=site) == "origin"


def test_a_link_may_be_followed_by_a_person_alone() -> None:
    link = {"host": "localhost", "sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert verdict(LOOPBACK, "GET", **link) == ""
    assert verdict(LOOPBACK, "POST", **link) == "origin"
    assert verdict(LOOPBACK, "GET", **{**link, "sec_fetch_dest": "iframe"}) == "origin"
    assert verdict(LOOPBACK, "GET", **{**link, "sec_fetch_mode": "no-cors"}) == "origin"


def test_what_is_no_browser_says_nothing_and_is_let_in() -> None:
    assert verdict(LOOPBACK, host="127.0.0.1:8050") == ""


def test_a_console_for_others_has_any_name_but_only_its_own_pages() -> None:
    assert verdict(ANYWHERE, host="gw.example:8050", origin="http://gw.example:8050") == ""
    assert verdict(ANYWHERE, host="gw.example:8050", origin="http://evil.example") == "origin"


def test_behind_a_proxy_only_the_names_that_were_set_and_this_machines() -> None:
    assert verdict(PROXIED, host="console.example", origin="https://console.example") == ""
    assert verdict(PROXIED, host="127.0.0.1:8050", origin="https://console.example") == ""
    assert verdict(PROXIED, host="10.0.0.7:8443", origin="https://10.0.0.7:8443") == ""
    assert verdict(PROXIED, "GET", host="127.0.0.1:8050") == ""
    assert verdict(PROXIED, host="other.example", origin="http://other.example") == "host"
