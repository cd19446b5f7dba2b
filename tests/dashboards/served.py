"""A console that really serves, for tests that ask it over HTTP or look at it in a browser."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dashboards import service
from dashboards.console import Console
from tests.ports import free_port

__all__ = ["Reply", "answers", "ask", "free_port", "get", "post", "served", "wait_until"]


def wait_until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait for something that another thread does."""
    paused = threading.Event()
    for _ in range(int(timeout_s / 0.05)):
        if condition():
            return
        paused.wait(0.05)
    raise AssertionError("it did not happen in time")


@dataclass(frozen=True)
class Reply:
    """What was answered."""

    status: int
    headers: dict[str, str]
    text: str


def get(port: int, path: str, host: str = "127.0.0.1") -> Reply:
    """Ask the console on a port."""
    return ask(port, "GET", path, {"Host": host})


def post(port: int, body: Any, **headers: str) -> Reply:
    """Call a callback as the console's pages do; a body that is no text is made JSON.  `origin=...` and the like are sent."""
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(port, "POST", "/_dash-update-component", {"content-type": "application/json", **told}, text)


def ask(port: int, method: str, path: str, headers: Mapping[str, str] | None = None, body: str | bytes | None = None) -> Reply:
    """Any request, and its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body.encode() if isinstance(body, str) else body, dict(headers or {}))
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, headers, answer.read().decode())
    finally:
        connection.close()


def answers(port: int) -> bool:
    """Whether the console on a port answers."""
    try:
        return get(port, "/health").status == 200
    except (OSError, http.client.HTTPException):  # none, or one that ends in the middle of its answer
        return False


@contextmanager
def served(console: Console) -> Iterator[int]:
    """Serve a console on its port until the end of the block; the port."""
    stop, port = threading.Event(), console.settings.console_port
    thread = threading.Thread(target=service.run, args=(console, stop))
    thread.start()
    try:
        wait_until(lambda: answers(port))
        yield port
    finally:
        stop.set()
        thread.join(60)
        console.close()
    assert not thread.is_alive()
