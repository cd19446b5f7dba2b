"""Errors that no operation made: the HTTP server's own answers, in the shape of the protocol the caller seems to speak."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from http import HTTPStatus

from gatewatch.aws.answer import Answer
from gatewatch.aws.error import AwsError
from gatewatch.aws.protocols.table import EC2_QUERY, QUERY, seeming

#: Codes for what HTTP calls wrong; AWS has one list for all services ("Common Errors") and S3 one for HTTP itself.
CODES = {
    400: "MalformedHTTPRequestException", 403: "AccessDenied", 404: "UnknownOperationException", 405: "MethodNotAllowed",
    408: "RequestTimeout", 411: "MissingContentLength", 413: "RequestEntityTooLargeException", 414: "RequestUriTooLong",
    431: "RequestHeaderSectionTooLarge", 500: "InternalFailure", 503: "ServiceUnavailable",
}


def fault(headers: Mapping[str, str], status: int, message: str = "", *, code: str = "", path: str = "/") -> Answer:
    """An answer with that status; `headers` (names in small letters) and `path` are the request's, as far as they are known."""
    protocol, service = seeming(headers, path)
    error = AwsError(code or CODES.get(status, "InternalFailure" if status >= 500 else "InvalidRequest"),
                     message or HTTPStatus(status).phrase, status)
    return protocol.error(service, error, str(uuid.uuid4()))


def overload(headers: Mapping[str, str], message: str, *, path: str = "/") -> Answer:
    """Too many requests of one client: the code and status that the service's SDKs wait after, and try again."""
    protocol, _ = seeming(headers, path)
    if protocol is EC2_QUERY:
        return fault(headers, 503, message, code="RequestLimitExceeded", path=path)
    code = "Throttling" if protocol is QUERY else "ThrottlingException"
    return fault(headers, 400, message, code=code, path=path)
