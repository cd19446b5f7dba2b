"""smithy-rpc-v2-cbor: the operation in the path, a CBOR map as the body (cloudwatch's newest clients).

    POST /service/GraniteServiceVersion20100801/operation/ListMetrics

Sources: Smithy 2.0, "Smithy RPC v2 CBOR protocol"; RFC 8949.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import cbor2
from botocore.model import OperationModel, Shape

from gatewatch.aws.answer import Answer
from gatewatch.aws.error import AwsError
from gatewatch.aws.problem import Problem
from gatewatch.aws.protocols.protocol import Reading
from gatewatch.aws.protocols.typed import TypedReader, write_typed
from gatewatch.aws.services import BY_TARGET_PREFIX, CLOUDWATCH, Service

CONTENT_TYPE = "application/cbor"
PROTOCOL = "rpc-v2-cbor"
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "character": (str,), "boolean": (bool,), "integer": (int,), "long": (int,),
    "float": (float, int), "double": (float, int), "timestamp": (datetime, float, int), "blob": (bytes,),
}
#: CBOR's tag for an epoch-based time (RFC 8949 section 3.4.2).
_EPOCH_TAG = 1


class Cbor:
    """The services that have `cbor` set."""

    name = "cbor"

    def recognise(self, headers: Mapping[str, str], path: str) -> bool:
        """It says so; a path of this kind alone is enough for an answer that its client can read."""
        return headers.get("smithy-protocol") == PROTOCOL or path.startswith("/service/")

    def seeming_service(self, headers: Mapping[str, str], path: str) -> Service:
        """cloudwatch, the only one."""
        return CLOUDWATCH

    def read(self, headers: Mapping[str, str], path: str, body: bytes) -> Reading:
        """An empty body is an empty map."""
        parts = path.split("/")
        named = len(parts) == 5 and (parts[0], parts[1], parts[3]) == ("", "service", "operation")
        service = BY_TARGET_PREFIX.get(parts[2]) if named else None
        if service is None or not service.cbor:
            raise AwsError("UnknownOperationException", f"There is nothing at {path[:200]}", 404)
        if headers.get("smithy-protocol") != PROTOCOL:
            raise AwsError("UnknownOperationException", f"The header Smithy-Protocol must be {PROTOCOL} at {path[:200]}")
        return Reading(service=service, operation=parts[4], content=body)

    def parameters(self, reading: Reading, shape: Shape | None) -> tuple[dict[str, Any], list[Problem]]:
        """Timestamps are tagged epoch seconds, blobs byte strings."""
        return TypedReader(_TYPES, _read_scalar).read(read_map(reading.content), shape)

    def result(self, service: Service, operation: OperationModel, result: Mapping[str, Any], request_id: str) -> Answer:
        """The output members as a map."""
        shape = operation.output_shape
        return _answer(200, {} if shape is None else write_typed(shape, result, _write_scalar), request_id)

    def error(self, service: Service, error: AwsError, request_id: str) -> Answer:
        """`__type` is a shape id; the extra header has the code that clients knew from the query protocol."""
        content = {"__type": f"com.amazonaws.{service.name}#{error.code}", "message": error.message}
        headers = {"x-amzn-query-error": f"{error.code};{error.fault}"}
        return _answer(error.status, content, request_id, headers, code=error.code)

    def not_served(self, reading: Reading) -> AwsError:
        """UnknownOperationException."""
        named = f"{reading.service.name} {reading.operation[:100]}"
        return AwsError("UnknownOperationException", f"gatewatch does not serve {named}")


def read_map(body: bytes) -> dict[str, Any]:
    """The CBOR map in the body, and nothing behind it."""
    if not body:
        return {}
    try:
        content = cbor2.loads(body)
    except (cbor2.CBORDecodeError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        raise AwsError("SerializationException", f"The body is not CBOR: {str(error)[:200]}") from error
    if not isinstance(content, dict):
        raise AwsError("SerializationException", "The body is not a CBOR map")
    return content


def _read_scalar(shape: Shape, content: Any) -> Any:
    if shape.type_name == "timestamp" and not isinstance(content, datetime):
        return datetime.fromtimestamp(content, UTC)
    return content


def _write_scalar(value: Any) -> Any:
    return cbor2.CBORTag(_EPOCH_TAG, value.timestamp()) if isinstance(value, datetime) else value


def _answer(
    status: int, content: Any, request_id: str, headers: Mapping[str, str] | None = None, *, code: str = ""
) -> Answer:
    return Answer(
        status=status, body=cbor2.dumps(content), content_type=CONTENT_TYPE, code=code,
        headers={"x-amzn-RequestId": request_id, "smithy-protocol": PROTOCOL, **(headers or {})},
    )
