"""The small HTTP server, over loopback: whole answers, nonsense, stalls, too many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import pytest

from forwarder.lab import http_server
from forwarder.lab.http_server import Answer, HttpServer, text_answer


def answer(method: str, path: str) -> Answer:
    if path == "/big":
        return Answer(body=(b"x" * 1_000 for _ in range(300)), body_bytes=300_000)
    return text_answer(HTTPStatus.OK, f"{method} {path}")


async def exchange(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def with_server(test: Callable[[HttpServer], Awaitable[None]]) -> HttpServer:
    server = HttpServer(answer)

    async def body() -> None:
        await server.listen("127.0.0.1", 0)
        await test(server)
        async with asyncio.timeout(60):
            while server.counts.answered + server.counts.refused + sum(server.counts.failed.values()) < server.counts.connections:
                await asyncio.sleep(0)
        server.close()

    asyncio.run(body())
    return server


def test_a_request_is_answered_whole() -> None:
    async def body(server: HttpServer) -> None:
        got = await exchange(server.port, b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        assert got == (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\nConnection: close\r\n\r\nGET /a\n")
        got = await exchange(server.port, b"GET /big HTTP/1.1\r\n\r\n")
        assert got.partition(b"\r\n\r\n")[2] == b"x" * 300_000
        got = await exchange(server.port, b"HEAD /a HTTP/1.1\r\n\r\n")
        assert got.endswith(b"\r\n\r\n")

    counts = with_server(body).counts
    assert (counts.connections, counts.answered, counts.failed) == (3, 3, {})


@pytest.mark.parametrize(
    ("request_bytes", "failure"),
    [
        (b"nonsense\r\n\r\n", "ValueError"),
        (b"GET /\xff HTTP/1.1\r\n\r\n", "UnicodeDecodeError"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", "LimitOverrunError"),
    ],
)
def test_nonsense_ends_its_connection_and_is_counted(request_bytes: bytes, failure: str) -> None:
    async def body(server: HttpServer) -> None:
        assert await exchange(server.port, request_bytes) == b""
        assert (await exchange(server.port, b"GET /a HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 200")

    assert with_server(body).counts.failed == {failure: 1}


def test_a_client_that_says_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "STEP_S_MAX", 0.01)

    async def body(server: HttpServer) -> None:
        assert await exchange(server.port, b"GET / HT") == b""

    assert with_server(body).counts.failed == {"TimeoutError": 1}


def test_connections_beyond_the_bound_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "CONNECTIONS_MAX", 1)

    async def body(server: HttpServer) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert await exchange(server.port, b"GET / HTTP/1.1\r\n\r\n") == b""
        writer.close()

    counts = with_server(body).counts
    assert counts.refused == 1
    assert counts.failed == {"IncompleteReadError": 1}
