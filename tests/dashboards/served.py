"""A console that really serves, for tests that ask it over HTTP or look at it in a browser."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dashboards import service
from dashboards.console import Console
from tests.ports import free_port

__all__ = ["Reply", "answers", "free_port", "get", "served", "wait_until"]


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
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path, headers={"Host": host})
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
