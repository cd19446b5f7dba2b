"""An appliance's answer to health checks."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from forwarder.lab.health_answer import HealthAnswer


@pytest.fixture
def health() -> Iterator[HealthAnswer]:
    answer = HealthAnswer(address="127.0.0.1", port=0)
    answer.start()
    yield answer
    answer.stop()


def status(health: HealthAnswer, method: str = "GET", path: str = "/") -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{health.port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_it_fails_when_told_and_recovers(health: HealthAnswer) -> None:
    assert status(health) == 200
    assert status(health, "POST", "/fail") == 200
    assert status(health) == status(health, path="/other") == 503
    assert status(health, "POST", "/recover") == 200
    assert status(health) == 200
    health.toggle()
    assert status(health) == 503
    assert health.checks == 5


def test_other_methods_are_refused(health: HealthAnswer) -> None:
    assert status(health, "DELETE") == 405
    assert status(health, "POST", "/elsewhere") == 405
    assert health.checks == 0


def test_a_taken_port_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        health = HealthAnswer(address="127.0.0.1", port=port)
        with pytest.raises(OSError, match=f"health checks on 127.0.0.1:{port}"):
            health.start()
        health.stop()
