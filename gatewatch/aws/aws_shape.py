"""Gives every error that an ASGI application answers in plain text AWS's shape, and answers what it raises."""

from __future__ import annotations

from typing import Any

import structlog

from gatewatch.aws.fault import fault
from gatewatch.aws.http_protocol import send_answer
from gatewatch.repeated_error import RepeatedError

#: For container checks, which read a status and a word.
PLAIN_PATHS = ("/health",)


class AwsShape:
    """Wraps an application; answers that are no errors, or have a shape of their own, pass through as they are."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._repeated = RepeatedError(structlog.get_logger("api"))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or (scope["path"] in PLAIN_PATHS and scope["method"] == "GET"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        status = begun = 0
        texts: list[bytes] = []

        async def shaped(message: Any) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start" and _is_plain_error(message):
                status = message["status"]
            elif status:
                texts.append(message.get("body", b""))
            else:
                begun = 1
                await send(message)

        try:
            await self._app(scope, receive, shaped)
        except Exception:  # the port's outermost loop: whatever one request met, the next is answered
            self._repeated.exception("a request could not be answered")
            if begun:
                raise
            status, texts = 500, [b"an error within gatewatch; its log has it"]
        if status:
            await send_answer(fault(headers, status, b"".join(texts).decode(errors="replace").strip(), path=scope["path"]), send)


def _is_plain_error(message: Any) -> bool:
    kinds = [value for name, value in message["headers"] if name.lower() == b"content-type"]
    return message["status"] >= 400 and (not kinds or kinds[0].startswith(b"text/plain"))
