"""uvicorn's HTTP protocol with what a port needs that strangers may reach: limits for each client, time for a request's head, and
every answer in AWS's shape.

`protocol_of` makes the class that `uvicorn.Config(http=…)` takes.  What uvicorn itself would answer in plain text (a request
that is no HTTP, headers without end) is answered by `fault`.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from gatewatch.aws.answer import Answer
from gatewatch.aws.connections import Connections
from gatewatch.aws.fault import CODES, fault, overload


class PortCounts:
    """What the port answered by itself, by the code of the answer; and its connections."""

    def __init__(self, connections: Connections[Any]) -> None:
        self.connections = connections
        self.faults: Counter[str] = Counter()

    def status(self) -> dict[str, Any]:
        """For the status file."""
        known = self.connections
        return {"connections": len(known), "opened": known.opened, "gave_way": known.gave_way, "refused": known.refused,
                "faults": dict(self.faults)}


def protocol_of(*, client_max: int, total_max: int, head_time_s: float) -> tuple[type[H11Protocol], PortCounts]:
    """The protocol class of one port, and what it counts."""
    counts = PortCounts(Connections(client_max=client_max, total_max=total_max))

    class ApiProtocol(_ApiProtocol):
        """Bound to this port's connections and limits."""

    ApiProtocol.counts, ApiProtocol.head_time_s = counts, head_time_s
    return ApiProtocol, counts


class _ApiProtocol(H11Protocol):  # type: ignore[misc, unused-ignore]
    counts: PortCounts
    head_time_s: float

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override, unused-ignore]
        super().connection_made(transport)
        self._head_due: asyncio.TimerHandle | None = None
        victim, self._has_room = self.counts.connections.open(self, self.client[0] if self.client else "")
        if victim is not None:
            victim.give_way()
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_has_come()
        self.counts.connections.close(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        # A client that sends the beginning of its next request has as long for the rest as for the first.
        if self._head_due is None and self.conn.their_state is h11.IDLE:
            self._await_head()
        super().data_received(data)

    def handle_events(self) -> None:
        app = self.app
        if not self._has_room:
            self.app = self._come_again
        try:
            super().handle_events()
        finally:
            self.app = app
        if self.conn.their_state is not h11.IDLE:
            self._head_has_come()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            # Kept open for a next request: uvicorn closes it when none comes, and it goes first when room is short.
            self.counts.connections.waits(self, True)

    def give_way(self) -> None:
        """Another connection takes this one's place: no request has come by it."""
        self._answer_and_close(fault({}, 408, "the request did not come before others needed the room"))

    def send_400_response(self, msg: str) -> None:
        """What is no request, or has no end: uvicorn calls this while it handles h11's error."""
        error = sys.exc_info()[1]
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        self._answer_and_close(fault({}, status if status in CODES else 400, str(error or msg)))

    def _await_head(self) -> None:
        self.counts.connections.waits(self, True)
        self._head_due = self.loop.call_later(self.head_time_s, self._head_is_late)

    def _head_has_come(self) -> None:
        self.counts.connections.waits(self, False)
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _head_is_late(self) -> None:
        self._head_due = None
        if not self.transport.is_closing():
            self._answer_and_close(fault({}, 408, f"the request did not come within {self.head_time_s:g} s"))

    def _answer_and_close(self, answer: Answer) -> None:
        """An answer to nobody's request, past h11, which has none to answer."""
        self.counts.faults[answer.code] += 1
        head = "".join(f"{name}: {value}\r\n" for name, value in {
            **answer.headers, "content-type": answer.content_type, "content-length": str(len(answer.body)), "connection": "close",
        }.items())
        self.transport.write(f"HTTP/1.1 {answer.status} \r\n{head}\r\n".encode() + answer.body)
        self.transport.close()

    async def _come_again(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        answer = overload(headers, "too many connections; try again")
        self.counts.faults[answer.code] += 1
        await send_answer(answer, send, {"connection": "close"})


async def send_answer(answer: Answer, send: Any, more: Mapping[str, str] | None = None) -> None:
    """Send an answer as ASGI messages."""
    headers = {**answer.headers, "content-type": answer.content_type, "content-length": str(len(answer.body)), **(more or {})}
    await send({"type": "http.response.start", "status": answer.status,
                "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()]})
    await send({"type": "http.response.body", "body": answer.body})
