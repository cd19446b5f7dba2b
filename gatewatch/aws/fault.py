"""Errors that no operation made: the HTTP server's own answers, in the shape of the protocol the caller seems to speak."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from http import HTTPStatus

from gatewatch.aws import answer
from gatewatch.aws.answer import Answer
from gatewatch.aws.error import AwsError
from gatewatch.aws.services import BY_TARGET_PREFIX, EC2, ELBV2, LOGS, Service

#: Codes for what HTTP calls wrong; AWS has one list for all services ("Common Errors") and S3 one for HTTP itself.
CODES = {
    400: "MalformedHTTPRequestException", 403: "AccessDenied", 404: "UnknownOperationException", 405: "MethodNotAllowed",
    408: "RequestTimeout", 411: "MissingContentLength", 413: "RequestEntityTooLargeException", 414: "RequestUriTooLong",
    431: "RequestHeaderSectionTooLarge", 500: "InternalFailure", 503: "ServiceUnavailable",
}


def fault(headers: Mapping[str, str], status: int, message: str = "", *, code: str = "") -> Answer:
    """An answer with that status; `headers` (names in small letters) are the request's, as far as they are known."""
    service, json = _service(headers)
    error = AwsError(code or CODES.get(status, "InternalFailure" if status >= 500 else "InvalidRequest"),
                     message or HTTPStatus(status).phrase, status)
    encode = answer.json_error if json else answer.query_error
    return encode(service, error, str(uuid.uuid4()))


def overload(headers: Mapping[str, str], message: str) -> Answer:
    """Too many requests of one client: the code and status that the service's SDKs wait after, and try again."""
    service, json = _service(headers)
    if service is EC2:
        return fault(headers, 503, message, code="RequestLimitExceeded")
    return fault(headers, 400, message, code="ThrottlingException" if json else "Throttling")


def _service(headers: Mapping[str, str]) -> tuple[Service, bool]:
    named = headers.get("x-amz-target", "")
    if named:
        return BY_TARGET_PREFIX.get(named.rpartition(".")[0], LOGS), True
    return (EC2 if "/ec2/aws4_request" in headers.get("authorization", "") else ELBV2), False
