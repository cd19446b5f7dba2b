"""The door as ASGI: every request goes through it, every answer of the console's port leaves with its headers.

What is refused is counted by reason and said in the log now and then, in one line; an error that comes through from
behind is counted, logged with its traceback, and told to the caller without.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from dash import Dash
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.console import Console
from dashboards.gate.addresses import CALLBACKS, Addresses, may_be_a_page
from dashboards.gate.callback_body import checked, signatures_of
from dashboards.gate.origins import Origins
from dashboards.gate.refused import Refused
from gatewatch.repeated_error import RepeatedError

#: `unsafe-inline` and `unsafe-eval` are for Dash's own inline configuration and ag-grid's and Plotly's generated code;
#: no address but ours is allowed for anything.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # No other site's page gets hold of our window, or takes our answers in as its own pictures and scripts.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
#: Longest body of a request: a callback's has the page's state and, on the SQL page, one statement.
BODY_BYTES_MAX = 1 << 20
#: What Dash's pages say of themselves in each callback's query: a signature over one opening of the page.
END_ID = b"endId="
#: How long a caller may take to send one.
BODY_S_MAX = 20.0


class Gate:
    """ASGI middleware around the application."""

    def __init__(self, app: ASGIApp, *, dash_app: Dash, console: Console, origins: Origins, addresses: Addresses) -> None:
        self._app = app
        self._console = console
        self._origins = origins
        self._addresses = addresses
        self._signatures = signatures_of(dash_app)
        self._errors = RepeatedError(structlog.get_logger())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":  # no page of ours has one, and Dash serves callbacks over them
            self._count(Refused(status=403, reason="websocket", detail="there are no websockets here"))
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            answer = _Answer(send)
            try:
                await self._http(scope, receive, answer)
                if answer.status is not None and answer.status >= 500:  # Dash says no more of what went wrong
                    self._console.callback_errors += 1
                    self._errors.warning("console request failed within Dash", path=scope["path"][:200])
            except Exception:
                self._console.callback_errors += 1
                self._errors.exception("console request failed", path=scope["path"][:200])
                if answer.status is not None:
                    raise  # half an answer cannot be taken back: the server closes the connection
                await JSONResponse({"detail": "an error in gatewatch; it is in the console's log"}, 500)(scope, receive, answer)

    async def _http(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        headers, method, path = Headers(scope=scope), scope["method"], scope["path"]
        try:
            self._origins.refuse(method, headers)
            _refuse_length(headers)
            self._addresses.refuse(method, path)
            if path == CALLBACKS:
                receive = await self._callback(scope, receive, headers)
        except Refused as refused:
            self._count(refused)
            if refused.status != 404 or not may_be_a_page(method, path, headers.get("accept", "")):
                await _refusal(refused)(scope, receive, answer)
                return
            # The application opens and says on a page of its own that there is nothing (dashboards/pages/missing.py).
            scope, answer.instead = {**scope, "path": "/", "raw_path": b"/"}, 404
        await self._app({**scope, "method": "GET"} if method == "HEAD" else scope, receive, answer)

    async def _callback(self, scope: Scope, receive: Receive, headers: Headers) -> Receive:
        # Dash's background callbacks, of which there are none, take from here which jobs to read and to end.
        query = scope["query_string"]
        if query and (not query.startswith(END_ID) or b"&" in query):
            raise Refused(status=400, reason="address", detail="a callback has no query but endId")
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refused(status=415, reason="type", detail="a callback's body is application/json")
        body = checked(await _read(receive), self._signatures)
        scope["query_string"] = b""
        scope["headers"] = [(name, value) for name, value in scope["headers"] if name not in (b"content-length", b"content-type")]
        scope["headers"] += [(b"content-length", str(len(body)).encode()), (b"content-type", b"application/json")]
        return _again(body, receive)

    def _count(self, refused: Refused) -> None:
        self._console.refused[refused.reason] += 1
        self._errors.warning(f"console refused a request: {refused.reason}", status=refused.status,
                             detail=refused.detail[:300])


class _Answer:
    """`send` with the headers of every answer; `status` is the one sent, `instead` one to send in its place."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None
        self.instead: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"] = self.instead or message["status"]
            MutableHeaders(scope=message).update(HEADERS)
        await self._send(message)


def _refuse_length(headers: Mapping[str, str]) -> None:
    """A body would be read into memory whole: none that is too long, or does not say how long it is."""
    length = headers.get("content-length", "")
    if "transfer-encoding" in headers:
        raise Refused(status=411, reason="length", detail="a body needs a Content-Length")
    # The server has made sure that it is a number.
    if len(length) > len(str(BODY_BYTES_MAX)) or int(length or 0) > BODY_BYTES_MAX:
        raise Refused(status=413, reason="length", detail=f"the body is larger than {BODY_BYTES_MAX} bytes")


async def _read(receive: Receive) -> bytes:
    """The body; `Refused` when it does not come in time, or its sender is gone."""
    parts: list[bytes] = []
    try:
        async with asyncio.timeout(BODY_S_MAX):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(status=400, reason="body", detail="the body ended before its length")
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise Refused(status=408, reason="slow", detail=f"the body did not come within {BODY_S_MAX:g} s",
                      headers={"Connection": "close"}) from None


def _again(body: bytes, receive: Receive) -> Receive:
    """`receive` that gives a body which was read, and then goes on where it was."""
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def given() -> Message:
        return messages.pop() if messages else await receive()

    return given


def _refusal(refused: Refused) -> JSONResponse:
    return JSONResponse({"detail": refused.detail}, refused.status, headers=dict(refused.headers))
