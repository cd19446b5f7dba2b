"""What no page of ours asks for, asked over HTTP: 4xx with the headers, counted, and no traceback anywhere."""

from __future__ import annotations

import http.client
import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboards.app import make_app
from dashboards.console import Console
from dashboards.gate import middleware
from dashboards.gate.callback_body import signatures_of
from dashboards.gate.middleware import BODY_BYTES_MAX, CONTENT_SECURITY_POLICY, HEADERS
from dashboards.page_state import LISTED_PAGES
from tests.dashboards.gate.bodies import FRAME, JSON, twisted, well_formed
from tests.dashboards.served import ask, free_port, get, post, served
from tests.dashboards.small_lake import console_of

CASES = tomllib.loads((Path(__file__).parent / "forged_bodies.toml").read_text(encoding="utf-8"))["case"]
ELSEWHERE = "http://evil.example"


@pytest.fixture(scope="module")
def served_console(small_lake: Path) -> Iterator[tuple[int, Console]]:
    """The port of a console over the small lake, and the console."""
    console = console_of(small_lake, console_port=free_port())
    with served(console) as port:
        yield port, console


@pytest.fixture
def port(served_console: tuple[int, Console]) -> int:
    """The port."""
    return served_console[0]


@pytest.fixture
def refused(served_console: tuple[int, Console]) -> Callable[[], dict[str, int]]:
    """What has been refused since, by reason."""
    console = served_console[1]
    before = console.refused.copy()
    return lambda: dict(console.refused - before)


def merged(true: dict[str, Any], change: str) -> str:
    """A JSON merge patch applied, where half a surrogate pair stays as it is written."""
    wanted = {**true, **json.loads(change)}
    return json.dumps({key: value for key, value in wanted.items() if value is not None})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["what"])
def test_a_forged_body_is_refused(
    served_console: tuple[int, Console], case: dict[str, Any], capfd: pytest.CaptureFixture[str],
) -> None:
    port, console = served_console
    before = console.callback_errors
    answer = post(port, case["body"] if "body" in case else merged(FRAME, case["change"]))
    assert answer.status == case["status"], answer.text
    assert console.callback_errors == before
    assert "Traceback" not in answer.text + "".join(capfd.readouterr())


@pytest.mark.parametrize(("query", "status"), [
    ("endId=abc~def", 200), ("", 200), ("job=1", 400), ("endId=a&oldJob=1", 400), ("cancelJob=1", 400), ("endId=a&endId=b", 400),
    ("endId", 400),
])
def test_a_callback_ends_no_jobs(port: int, query: str, status: int) -> None:
    answer = ask(port, "POST", f"/_dash-update-component?{query}", {"Content-Type": "application/json"}, json.dumps(FRAME))
    assert answer.status == status


def test_a_true_body_is_answered(port: int) -> None:
    answer = post(port, FRAME, origin=f"http://127.0.0.1:{port}", sec_fetch_site="same-origin", sec_fetch_mode="cors")
    assert answer.status == 200
    assert "served" in json.loads(answer.text)["response"]


@pytest.mark.parametrize(("headers", "status"), [
    ({"origin": ELSEWHERE}, 403), ({"origin": "null"}, 403), ({"origin": ""}, 403), ({"origin": "https://127.0.0.1"}, 403),
    ({"sec_fetch_site": "cross-site"}, 403), ({"sec_fetch_site": "same-site"}, 403), ({"host": "evil.example"}, 400),
    ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}, 403),
    ({"content_type": "text/plain"}, 415), ({"content_type": "application/x-www-form-urlencoded"}, 415), ({"content_type": ""}, 415),
])
def test_another_site_runs_no_callback(
    port: int, refused: Callable[[], dict[str, int]], headers: dict[str, str], status: int,
) -> None:
    answer = post(port, FRAME, **headers)
    assert answer.status == status
    assert sum(refused().values()) == 1
    assert json.loads(answer.text)["detail"]


@pytest.mark.parametrize(("headers", "status"), [
    ({"Content-Length": str(BODY_BYTES_MAX + 1)}, 413), ({"Content-Length": "9" * 15}, 413),
    ({"Transfer-Encoding": "chunked"}, 411),
])
def test_a_body_without_end_is_not_read(port: int, headers: dict[str, str], status: int) -> None:
    with _begun(port, headers) as connection:
        assert connection.getresponse().status == status  # though nothing of the body was sent


def test_a_body_that_does_not_come_is_not_waited_for(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "BODY_S_MAX", 0.2)
    with _begun(port, {"Content-Length": "1000"}) as connection:
        connection.send(b'{"output": "')
        assert connection.getresponse().status == 408


class _begun:  # noqa: N801 - reads as a phrase
    """A callback whose headers were sent."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.putrequest("POST", "/_dash-update-component")
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self._connection.putheader(name, value)
        self._connection.endheaders()

    def __enter__(self) -> http.client.HTTPConnection:
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()


@pytest.mark.parametrize("path", [
    "/nowhere", "/flows/7", "/docs", "/redoc", "/openapi.json", "/favicon.ico", "/.env", "/wp-login.php", "/flows%00", "/%2e%2e/etc/passwd",
])
def test_an_unknown_page_is_404_and_the_application(port: int, path: str) -> None:
    answer = get(port, path)
    assert answer.status == 404
    assert "/assets/console.js" in answer.text
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("path", [
    "/_dash-nothing", "/_dash-ws-callback", "/_reload-hash", "/_favicon.ico", "/_alive_x", "/_mcp", "/assets/nothing.js", "/assets/",
    "/assets/%00", "/assets/../app.py", "/assets/" + "x" * 5000, "/_dash-component-suites/os/path.py",
    "/_dash-component-suites/dash/nothing.js", "/_dash-component-suites/dash/../../dash/dash.py", "/_dash-component-suites//",
])
def test_what_a_program_asks_for_and_is_not_there_is_a_plain_404(port: int, path: str) -> None:
    answer = get(port, path)
    assert answer.status == 404
    assert json.loads(answer.text) == {"detail": "there is nothing at this address"}


def test_a_program_that_wants_no_page_gets_none(port: int) -> None:
    answer = ask(port, "GET", "/nowhere", {"Accept": "application/json"})
    assert (answer.status, answer.headers["content-type"]) == (404, "application/json")


@pytest.mark.parametrize(("method", "path", "allow"), [
    ("GET", "/_dash-update-component", "POST"), ("PUT", "/_dash-update-component", "POST"), ("POST", "/", "GET, HEAD"),
    ("DELETE", "/flows", "GET, HEAD"), ("PATCH", "/health", "GET, HEAD"), ("OPTIONS", "/_dash-layout", "GET, HEAD"),
    ("TRACE", "/assets/console.css", "GET, HEAD"), ("PROPFIND", "/sql", "GET, HEAD"),
])
def test_a_wrong_method_is_told_the_right_one(port: int, method: str, path: str, allow: str) -> None:
    answer = ask(port, method, path)
    assert (answer.status, answer.headers["allow"]) == (405, allow)


@pytest.mark.parametrize("path", ["/", "/flows", "/flows/", "/health", "/assets/console.css"])
def test_head_is_get_without_the_body(port: int, path: str) -> None:
    answer = ask(port, "HEAD", path)
    assert (answer.status, answer.text) == (200, "")


@pytest.mark.parametrize("status_and_request", [
    (200, ("GET", "/")), (200, ("GET", "/health")), (200, ("GET", "/assets/console.css")), (200, ("GET", "/_dash-layout")),
    (404, ("GET", "/nowhere")), (404, ("GET", "/assets/nothing")), (405, ("POST", "/")), (400, ("POST", "/_dash-update-component?job=1")),
])
def test_every_answer_has_the_headers(port: int, status_and_request: tuple[int, tuple[str, str]]) -> None:
    status, (method, path) = status_and_request
    answer = ask(port, method, path, {"Content-Type": "application/json"})
    assert answer.status == status
    assert {name: answer.headers[name.lower()] for name in HEADERS} == HEADERS


def test_the_policy_names_no_other_host() -> None:
    sources = {word for part in CONTENT_SECURITY_POLICY.split(";") for word in part.split()[1:]}
    assert sources <= {"'self'", "'unsafe-inline'", "'unsafe-eval'", "'none'", "data:", "blob:"}


@pytest.mark.parametrize("origin", [ELSEWHERE, None])
def test_there_are_no_websockets(port: int, refused: Callable[[], dict[str, int]], origin: str | None) -> None:
    own = {"Origin": origin} if origin else {}
    answer = ask(port, "GET", "/_dash-ws-callback", {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", **own,
    })
    assert 400 <= answer.status < 500
    assert sum(refused().values()) == 1


def test_a_link_from_elsewhere_opens_a_page_but_not_in_a_frame(port: int) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert ask(port, "GET", "/alarms?alarm=x", link).status == 200
    assert ask(port, "GET", "/alarms?alarm=x", {**link, "Sec-Fetch-Dest": "iframe"}).status == 403
    assert ask(port, "GET", "/_dash-layout", {**link, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}).status == 403


def test_many_refusals_are_counted_and_a_line_in_the_log(
    port: int, refused: Callable[[], dict[str, int]], capfd: pytest.CaptureFixture[str],
) -> None:
    for _ in range(20):
        assert post(port, "{}").status == 400
    assert refused() == {"body": 20}
    assert json.loads(get(port, "/health").text)["refused"]["body"] >= 20
    assert len("".join(capfd.readouterr()).splitlines()) <= 2


def test_an_error_behind_the_door_is_counted_and_not_told(
    served_console: tuple[int, Console], monkeypatch: pytest.MonkeyPatch,
) -> None:
    port, console = served_console
    before = console.callback_errors

    def broken(*_: object) -> bytes:
        raise RuntimeError("a secret of ours")

    with monkeypatch.context() as patched:
        patched.setattr(middleware, "checked", broken)
        answer = post(port, FRAME)
    assert (answer.status, console.callback_errors) == (500, before + 1)
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_behind_a_proxy_its_name_is_ours(small_lake: Path) -> None:
    console = console_of(small_lake, console_port=free_port(), console_origins="https://console.example")
    with served(console) as port:
        assert post(port, FRAME, host="console.example", origin="https://console.example").status == 200
        assert post(port, FRAME, origin="https://console.example").status == 200  # a proxy that says the address it asks
        assert post(port, FRAME, host="console.example", origin=ELSEWHERE).status == 403
        assert get(port, "/health", host="other.example").status == 400


def _port_and_errors(served_console: tuple[int, Console]) -> tuple[int, int]:
    return served_console[0], served_console[1].callback_errors


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_body_is_an_error_of_ours(served_console: tuple[int, Console], data: st.DataObject) -> None:
    """Anything at all, a callback's body with one thing wrong, and one whose values are nonsense of the right type."""
    port, before = _port_and_errors(served_console)
    signatures = _signatures(served_console[1])
    body = data.draw(JSON | twisted(signatures) | well_formed(signatures))
    answer = post(port, body)
    assert answer.status < 500, answer.text
    assert served_console[1].callback_errors == before, body


_SIGNATURES: dict[int, Any] = {}


def _signatures(console: Console) -> Any:
    return _SIGNATURES.setdefault(id(console), signatures_of(make_app(console)))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from([page.path for page in LISTED_PAGES]), query=st.text(max_size=60) | st.lists(st.tuples(
    st.sampled_from(["range", "refresh", "clock", "theme", "lb", "port", "address", "text", "query", "saved", "alarm", "flow_page"]),
    st.text(max_size=12))).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)))
def test_no_deep_link_is_an_error_of_ours(served_console: tuple[int, Console], path: str, query: str) -> None:
    """The page opens, its state is decoded, and every live callback draws it."""
    port, before = _port_and_errors(served_console)
    shown = post(port, {
        "output": (show := next(name for name in _signatures(served_console[1]) if name.startswith("..state.data...page"))),
        "outputs": [{"id": part.rpartition(".")[0], "property": part.rpartition(".")[2]} for part in show[2:-2].split("...")],
        "inputs": [{"id": "url", "property": "pathname", "value": path}, {"id": "url", "property": "search", "value": "?" + query}],
        "changedPropIds": ["url.search"], "state": [{"id": "state", "property": "data"}],
    })
    assert shown.status == 200, shown.text
    href = json.loads(shown.text)["response"]["state"]["data"]
    live = {**FRAME, "inputs": [{"id": "state", "property": "data", "value": href}, *FRAME["inputs"][1:]]}
    assert post(port, live).status == 200
    assert served_console[1].callback_errors == before
