"""The console's door as a browser meets it: a page that is not there, and a page of another site that tries."""

from __future__ import annotations

import http.server
import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import THEMES, WAIT_MS_MAX, Watch, settled, wait_for
from tests.dashboards.served import get, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

#: What a page of another site can try without the reader's help; each ends in a word.
ATTACK = """async (console_url) => {
  const post = (options) => fetch(console_url + "/_dash-update-component", {method: "POST", body: "{}", ...options});
  const word = (promise) => promise.then((answer) => answer.type + " " + answer.status, () => "refused");
  const socket = new Promise((done) => {
    const made = new WebSocket(console_url.replace("http", "ws") + "/_dash-ws-callback");
    made.onopen = () => done("open"); made.onerror = () => done("refused");
  });
  const script = new Promise((done) => {
    const made = document.createElement("script");
    made.src = console_url + "/_dash-layout"; made.onload = () => done("loaded"); made.onerror = () => done("refused");
    document.head.append(made);
  });
  return {
    simple: await word(post({headers: {"Content-Type": "text/plain"}})),
    json: await word(post({headers: {"Content-Type": "application/json"}})),
    blind: await word(post({mode: "no-cors"})),
    read: await word(fetch(console_url + "/health")),
    socket: await socket, script: await script,
  };
}"""


@pytest.fixture
def other_site() -> Iterator[str]:
    """An empty page on another port, which is another origin."""
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>elsewhere</title>")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def refusals(console_url: str) -> Counter[str]:
    """What the console has refused so far, by reason."""
    status = json.loads(get(int(console_url.rpartition(":")[2]), "/health").text)
    return Counter(status["refused"])


@pytest.mark.parametrize("theme", THEMES)
def test_an_unknown_address_is_a_page_that_leads_on(browser: Any, console_url: str, pictures: Path, theme: str) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(WAIT_MS_MAX)
    page, watch = context.new_page(), Watch()
    watch.follow(page)
    answer = page.goto(f"{console_url}/nowhere?theme={theme}&range=1h")
    assert answer.status == 404
    settled(page)
    page.wait_for_function("document.body.innerText.includes('There is no page at this address')")
    assert page.inner_text("#title") == "Page not found"
    page.screenshot(path=pictures / f"missing-{theme}.png")
    assert watch.failed == [f"404 {console_url}/nowhere?theme={theme}&range=1h"]
    assert [text for text in watch.console if "404" not in text] == []
    page.click("#page >> text=Flows")
    wait_for(page, "document.getElementById('title').innerText", "Flows")
    assert "/flows?range=1h" in page.url
    context.close()


def test_a_page_of_another_site_gets_nothing(browser: Any, console_url: str, other_site: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(other_site)
    before = refusals(console_url)
    tried = page.evaluate(ATTACK, console_url)
    assert tried == {"simple": "refused", "json": "refused", "blind": "refused", "read": "refused",
                     "socket": "refused", "script": "refused"}
    assert refusals(console_url) - before == Counter(origin=5, websocket=1)
    context.close()


def test_a_link_on_another_site_opens_the_console_and_a_frame_does_not(browser: Any, console_url: str, other_site: str) -> None:
    context = browser.new_context()
    context.set_default_timeout(WAIT_MS_MAX)
    framing = context.new_page()
    framing.goto(other_site)
    before = refusals(console_url)
    framing.evaluate("url => { document.body.innerHTML = `<iframe src='${url}/sql'></iframe>` }", console_url)
    wait_until(lambda: refusals(console_url) - before == Counter(origin=1))
    framing.close()
    page, watch = context.new_page(), Watch()
    page.goto(other_site)
    page.evaluate("url => { document.body.innerHTML = `<a href='${url}/alarms'>alarm</a>` }", console_url)
    watch.follow(page)
    page.click("text=alarm")
    settled(page)
    wait_for(page, "document.getElementById('title').innerText", "Alarms")
    assert watch.problems() == []
    context.close()
