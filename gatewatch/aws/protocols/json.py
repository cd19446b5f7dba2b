"""The json protocols, 1.0 and 1.1: the operation in `X-Amz-Target`, a JSON object as the body (cloudtrail, logs, cloudwatch)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from botocore.model import OperationModel, Shape

from gatewatch.aws.answer import Answer
from gatewatch.aws.error import AwsError
from gatewatch.aws.problem import Problem
from gatewatch.aws.protocols.protocol import Reading
from gatewatch.aws.protocols.typed import TypedReader, write_typed
from gatewatch.aws.services import BY_TARGET_PREFIX, LOGS, Service

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "character": (str,), "boolean": (bool,), "integer": (int,), "long": (int,),
    "float": (float, int), "double": (float, int), "timestamp": (float, int), "blob": (str,),
}


class Json:
    """Both versions: they differ in the content type alone."""

    name = "json"

    def recognise(self, headers: Mapping[str, str], path: str) -> bool:
        """It has a target."""
        return "x-amz-target" in headers

    def seeming_service(self, headers: Mapping[str, str], path: str) -> Service:
        """By the target; logs, which all clients of this protocol understand, when nobody has it."""
        return BY_TARGET_PREFIX.get(headers["x-amz-target"].rpartition(".")[0], LOGS)

    def read(self, headers: Mapping[str, str], path: str, body: bytes) -> Reading:
        """An empty body is an empty object."""
        named = headers["x-amz-target"]
        prefix, _, operation = named.rpartition(".")
        service = BY_TARGET_PREFIX.get(prefix)
        if service is None:
            raise AwsError("UnknownOperationException", f"There is no service with the target {named[:200]}")
        return Reading(service=service, operation=operation, content=body)

    def parameters(self, reading: Reading, shape: Shape | None) -> tuple[dict[str, Any], list[Problem]]:
        """Timestamps are epoch seconds, blobs Base64."""
        return TypedReader(_TYPES, _read_scalar).read(read_object(reading.content), shape)

    def result(self, service: Service, operation: OperationModel, result: Mapping[str, Any], request_id: str) -> Answer:
        """The output members as an object."""
        shape = operation.output_shape
        return _answer(service, 200, {} if shape is None else write_typed(shape, result, _write_scalar), request_id)

    def error(self, service: Service, error: AwsError, request_id: str) -> Answer:
        """`__type` and `message`; the extra header is what clients of services that once spoke query look at."""
        made = _answer(service, error.status, {"__type": error.code, "message": error.message}, request_id)
        headers = {**made.headers, "x-amzn-query-error": f"{error.code};{error.fault}"}
        return Answer(status=made.status, body=made.body, content_type=made.content_type, headers=headers, code=error.code)

    def not_served(self, reading: Reading) -> AwsError:
        """UnknownOperationException."""
        named = f"{reading.service.name} {reading.operation[:100]}"
        return AwsError("UnknownOperationException", f"gatewatch does not serve {named}")


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in the body."""
    try:
        content = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, RecursionError) as error:
        raise AwsError("SerializationException", f"The body is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise AwsError("SerializationException", "The body is not a JSON object")
    return content


def _read_scalar(shape: Shape, content: Any) -> Any:
    if shape.type_name == "timestamp":
        return datetime.fromtimestamp(content, UTC)
    return base64.b64decode(content, validate=True) if shape.type_name == "blob" else content


def _write_scalar(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value


def _answer(service: Service, status: int, content: Any, request_id: str) -> Answer:
    return Answer(
        status=status, body=msgspec.json.encode(content),
        content_type=f"application/x-amz-json-{service.json_version or '1.1'}", headers={"x-amzn-RequestId": request_id},
    )
