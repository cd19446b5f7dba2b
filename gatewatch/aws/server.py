"""The port: an ASGI application that hands POST bodies to a `Dispatcher`, and `/health` for container checks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gatewatch.aws.aws_shape import AwsShape
from gatewatch.aws.dispatch import Dispatcher
from gatewatch.aws.sigv4 import SignedRequest

#: How long a client may take to send its body.
BODY_TIME_S = 20.0


class BodyTooLarge(Exception):
    """The body is larger than the server takes."""


def application(dispatcher: Dispatcher, *, body_bytes_max: int, names: Sequence[str] = ("*",)) -> AwsShape:
    """The application.  `GET /health` answers 200 as long as requests are answered at all.

    It answers under `names` alone (the Host header): see `gatewatch.host_names`.
    """

    async def call(request: Request) -> Response:
        try:
            async with asyncio.timeout(BODY_TIME_S):
                body = await _body(request, body_bytes_max)
        except BodyTooLarge:
            return PlainTextResponse(f"the body is larger than {body_bytes_max} bytes\n", 413)
        except (TimeoutError, ClientDisconnect):
            return PlainTextResponse(f"the body did not come within {BODY_TIME_S:g} s\n", 408)
        answer = await run_in_threadpool(dispatcher.answer, _signed_request(request, body), _source(request))
        return Response(answer.body, answer.status, dict(answer.headers), answer.content_type)

    async def health(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    return AwsShape(Starlette(routes=[
        Route("/health", health, methods=["GET"]),
        Route("/{path:path}", call, methods=["POST"]),
    ], middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=names, www_redirect=False)]))


async def _body(request: Request, bytes_max: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > bytes_max:
            raise BodyTooLarge
    return bytes(body)


def _signed_request(request: Request, body: bytes) -> SignedRequest:
    return SignedRequest(
        method=request.method,
        path=request.url.path,
        query=request.url.query,
        headers={name: ", ".join(request.headers.getlist(name)) for name in set(request.headers.keys())},
        body=body,
    )


def _source(request: Request) -> str:
    return request.client.host if request.client else "unknown"
