"""The port: body limit, health, what is not POST, and a slow or broken-off body.  The application is called as ASGI."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatewatch.aws import server
from gatewatch.aws.dispatch import Dispatcher
from gatewatch.aws.server import application
from gatewatch.host_names import names_of

BODY = b"Action=DescribeLoadBalancers&Version=2015-12-01"
SIGNED = [
    (b"authorization", b"AWS4-HMAC-SHA256 Credential=AKID/20261123/us-east-1/elasticloadbalancing/aws4_request, "
                       b"SignedHeaders=host, Signature=" + b"a" * 64),
]


def ask(
    backend: Any, method: str = "POST", path: str = "/", chunks: list[bytes | None] | None = None, bytes_max: int = 1000,
    listens_on: str = "127.0.0.1", host: str = "127.0.0.1:8060",
) -> tuple[int, bytes]:
    """Status and body; a None among the chunks is a client that goes silent for ever, no chunk at all one that left."""
    app = application(
        Dispatcher(backend, credentials=None, clock_s=lambda: 0.0), body_bytes_max=bytes_max, names=names_of(listens_on)
    )
    waiting = [BODY] if chunks is None else list(chunks)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not waiting:
            return {"type": "http.disconnect"}
        chunk = waiting.pop(0)
        if chunk is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting) or chunks is not None}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "http_version": "1.1", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "scheme": "http", "headers": [*SIGNED, (b"host", host.encode())], "client": ("192.0.2.1", 1),
        "server": ("127.0.0.1", 8060),
    }
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    return sent[0]["status"], sent[1]["body"]


def test_a_call(backend: Any) -> None:
    status, body = ask(backend)
    assert status == 200
    assert b"<DescribeLoadBalancersResult>" in body
    assert backend.calls[0].caller.source_ip_address == "192.0.2.1"


@pytest.mark.parametrize(("listens_on", "host", "status"), [
    ("127.0.0.1", "localhost:8060", 200), ("::1", "[::1]:8060", 200), ("127.0.0.1", "evil.example:8060", 400),
    ("0.0.0.0", "api:8060", 200), ("10.1.2.3", "gateway.example", 200),
])
def test_an_api_on_loopback_answers_to_no_other_name(backend: Any, listens_on: str, host: str, status: int) -> None:
    assert ask(backend, listens_on=listens_on, host=host)[0] == status
    assert len(backend.calls) == (status == 200)


def test_health(backend: Any) -> None:
    assert ask(backend, "GET", "/health") == (200, b"ok\n")


def test_only_post(backend: Any) -> None:
    assert ask(backend, "GET")[0] == 405


def test_a_body_over_the_limit(backend: Any) -> None:
    status, body = ask(backend, chunks=[b"a" * 600, b"a" * 600])
    assert status == 413
    assert b"<Message>the body is larger than 1000 bytes</Message>" in body
    assert backend.calls == []


def test_a_client_that_goes_silent(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "BODY_TIME_S", 0.01)
    assert ask(backend, chunks=[b"a", None])[0] == 408


def test_a_client_that_leaves(backend: Any) -> None:
    assert ask(backend, chunks=[b"a"])[0] == 408
