from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from dashboards.app import make_app
from dashboards.console import Console
from tests.dashboards.served import free_port, get, served
from tests.dashboards.small_lake import console_of


@pytest.fixture(scope="module")
def port(small_lake: Path) -> Iterator[int]:
    """The port of a console over the small lake."""
    with served(console_of(small_lake, console_port=free_port())) as port:
        yield port


def test_health_answers_with_counters(port: int) -> None:
    answer = get(port, "/health")
    assert answer.status == 200
    content = msgspec.json.decode(answer.text)
    assert content["status"] == "ok"
    assert "questions" in content


def test_the_index_names_no_other_host(port: int) -> None:
    page = get(port, "/").text
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page)
    assert "--gw-red" in page
    assert '<html lang="en">' in page


def test_every_page_has_an_address_of_its_own_even_at_the_very_first_request(tmp_path: Path) -> None:
    with served(console_of(tmp_path, console_port=free_port())) as port:
        answer = get(port, "/flows?port=443")
    assert answer.status == 200
    assert "/assets/console.js" in answer.text


def test_a_page_is_told_of_no_websocket(port: int) -> None:
    assert "_dash-ws-callback" not in get(port, "/").text


def test_a_console_on_loopback_answers_to_no_other_name(port: int) -> None:
    assert get(port, "/health", host="evil.example").status == 400
    assert get(port, "/health", host=f"localhost:{port}").status == 200


def test_a_console_for_others_answers_to_their_names(tmp_path: Path) -> None:
    with served(console_of(tmp_path, console_host="0.0.0.0", console_port=free_port())) as port:
        assert get(port, "/health", host="console.example").status == 200


def test_fonts_are_our_own_with_their_licence() -> None:
    assets = Path(__file__).parents[2] / "dashboards" / "assets"
    style = (assets / "console.css").read_text(encoding="utf-8")
    for font in re.findall(r'url\("(fonts/[^"]+)"\)', style):
        assert (assets / font).exists()
        assert (assets / font).with_suffix(".LICENSE.txt").exists()


def test_every_callback_is_a_coroutine(console: Console) -> None:
    """Dash runs plain callbacks on the event loop, where a slow one stops every tab."""
    app = make_app(console)
    assert app.callback_map
    for name, entry in app.callback_map.items():
        if "callback" in entry:
            assert inspect.iscoroutinefunction(inspect.unwrap(entry["callback"])), name
