"""Plain errors of an application get AWS's shape; everything else passes as it is."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import PlainTextResponse, Response

from gatewatch.aws.aws_shape import AwsShape


def ask(app: Any, path: str = "/", method: str = "GET") -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
    asyncio.run(AwsShape(app)(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(message["body"] for message in sent[1:])


def test_a_plain_error_is_shaped() -> None:
    status, headers, body = ask(PlainTextResponse("not here", 404))
    assert (status, headers[b"content-type"]) == (404, b"text/xml;charset=UTF-8")
    assert b"<Message>not here</Message>" in body
    assert headers[b"x-amzn-requestid"]
    assert headers[b"content-length"] == str(len(body)).encode()


def test_what_is_no_error_or_has_a_shape_passes() -> None:
    assert ask(PlainTextResponse("fine"))[2] == b"fine"
    assert ask(Response("<a/>", 403, media_type="text/xml"))[2] == b"<a/>"
    assert ask(PlainTextResponse("down", 503), "/health")[2] == b"down"


def test_an_error_within_is_answered_and_told_nobody() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("a secret")

    status, _, body = ask(broken)
    assert status == 500
    assert b"<Code>InternalFailure</Code>" in body
    assert b"secret" not in body
