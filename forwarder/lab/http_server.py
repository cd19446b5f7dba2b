"""A small HTTP/1.1 server for the lab: the servers' pages and the appliances' health checks.

One request a connection, then it is closed.  Bounded: connections, bytes of a request's head, time for each step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus

CONNECTIONS_MAX = 256
HEAD_BYTES_MAX = 8_192
STEP_S_MAX = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request is answered with; `body` comes in pieces of `body_bytes` together."""

    status: HTTPStatus = HTTPStatus.OK
    body: Iterable[bytes] = ()
    body_bytes: int = 0
    content_type: str = "text/plain"


def text_answer(status: HTTPStatus, text: str) -> Answer:
    """A short text."""
    body = (text + "\n").encode()
    return Answer(status=status, body=(body,), body_bytes=len(body))


@dataclass(slots=True, kw_only=True)
class HttpCounts:
    """What the server did.  connections = answered + refused + failed + those under way."""

    connections: int = 0
    answered: int = 0
    refused: int = 0
    failed: dict[str, int] = field(default_factory=dict)


class HttpServer:
    """Answers requests by asking `answer(method, path)`."""

    def __init__(self, answer: Callable[[str, str], Answer]) -> None:
        self.counts = HttpCounts()
        self._answer = answer
        self._under_way = 0
        self._listener: asyncio.Server | None = None
        self.port = 0

    async def listen(self, address: str, port: int) -> None:
        """Start to listen in the running loop, on `self.port`; `OSError` when the port is taken."""
        self._listener = await asyncio.start_server(self._serve, address, port, limit=HEAD_BYTES_MAX)
        self.port = self._listener.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Stop to listen.  Call it in the loop."""
        if self._listener is not None:
            self._listener.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.counts.connections += 1
        if self._under_way >= CONNECTIONS_MAX:
            self.counts.refused += 1
            writer.transport.abort()
            return
        self._under_way += 1
        try:
            await self._exchange(reader, writer)
            self.counts.answered += 1
        except (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError,
                asyncio.CancelledError) as error:
            # A client that goes away, stalls or talks nonsense: its connection ends, the server does not.  Cancelled is
            # what is under way when the loop ends; Python 3.11 would print it as an error if it were raised further.
            name = type(error).__name__
            self.counts.failed[name] = self.counts.failed.get(name, 0) + 1
            writer.transport.abort()
        finally:
            self._under_way -= 1

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(STEP_S_MAX):
            head = await reader.readuntil(b"\r\n\r\n")
        method, path, _ = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
        answer = self._answer(method, path)
        writer.write(
            f"HTTP/1.1 {answer.status.value} {answer.status.phrase}\r\nContent-Type: {answer.content_type}\r\n"
            f"Content-Length: {answer.body_bytes}\r\nConnection: close\r\n\r\n".encode()
        )
        if method != "HEAD":
            for piece in answer.body:
                writer.write(piece)
                async with asyncio.timeout(STEP_S_MAX):
                    await writer.drain()
        writer.close()
        async with asyncio.timeout(STEP_S_MAX):
            await writer.wait_closed()
