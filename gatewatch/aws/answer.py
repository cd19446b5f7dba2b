"""Results and errors as bytes: XML for the query and ec2 protocols, JSON for the json protocols."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import msgspec
from botocore.model import OperationModel, Shape

from gatewatch.aws.error import AwsError
from gatewatch.aws.services import Service

#: What XML 1.0 cannot hold, escaped or not.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Of an error, AWS's code.
    code: str = ""


def query_result(service: Service, operation: OperationModel, result: Mapping[str, Any], request_id: str) -> Answer:
    """A success in XML."""
    name = operation.name
    content = "" if operation.output_shape is None else "".join(
        _members(operation.output_shape, result, service.protocol)
    )
    if service.protocol == "ec2":
        body = (
            f'<{name}Response xmlns="{service.namespace}"><requestId>{request_id}</requestId>{content}</{name}Response>'
        )
    else:
        body = (
            f'<{name}Response xmlns="{service.namespace}"><{name}Result>{content}</{name}Result>'
            f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}Response>"
        )
    return _xml(200, body, request_id)


def query_error(service: Service, error: AwsError, request_id: str) -> Answer:
    """An error in XML."""
    code, message = _text(error.code), _text(error.message)
    if service.protocol == "ec2":
        body = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    else:
        body = (
            f'<ErrorResponse xmlns="{service.namespace}"><Error><Type>{error.fault}</Type><Code>{code}</Code>'
            f"<Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    return replace(_xml(error.status, body, request_id), code=error.code)


def json_result(service: Service, operation: OperationModel, result: Mapping[str, Any], request_id: str) -> Answer:
    """A success in JSON."""
    content = {} if operation.output_shape is None else _plain(operation.output_shape, result)
    return _json(service, 200, content, request_id)


def json_error(service: Service, error: AwsError, request_id: str) -> Answer:
    """An error in JSON; the extra header is what clients of services that once spoke query look at."""
    content = {"__type": error.code, "message": error.message}
    made = _json(service, error.status, content, request_id, {"x-amzn-query-error": f"{error.code};{error.fault}"})
    return replace(made, code=error.code)


def _xml(status: int, body: str, request_id: str) -> Answer:
    return Answer(
        status=status, body=('<?xml version="1.0" encoding="UTF-8"?>\n' + body).encode(),
        content_type="text/xml;charset=UTF-8", headers={"x-amzn-RequestId": request_id},
    )


def _json(
    service: Service, status: int, content: Any, request_id: str, headers: Mapping[str, str] | None = None
) -> Answer:
    return Answer(
        status=status, body=msgspec.json.encode(content),
        content_type=f"application/x-amz-json-{service.json_version or '1.1'}",
        headers={"x-amzn-RequestId": request_id, **(headers or {})},
    )


def _members(shape: Shape, values: Mapping[str, Any], protocol: str) -> Iterator[str]:
    strangers = values.keys() - shape.members.keys()
    assert not strangers, f"{shape.name} has no members {sorted(strangers)}"
    for name, member in shape.members.items():
        value = values.get(name)
        if value is not None:
            yield from _element(member, str(member.serialization.get("name", name)), value, protocol)


def _element(shape: Shape, name: str, value: Any, protocol: str) -> Iterator[str]:
    if shape.type_name == "structure":
        yield f"<{name}>{''.join(_members(shape, value, protocol))}</{name}>"
    elif shape.type_name == "list":
        yield from _list(shape, name, value, protocol)
    elif shape.type_name == "map":
        entries = (
            f"<entry><key>{_text(key)}</key>{''.join(_element(shape.value, 'value', item, protocol))}</entry>"
            for key, item in value.items()
        )
        yield f"<{name}>{''.join(entries)}</{name}>"
    else:
        yield f"<{name}>{_text(_scalar_text(value))}</{name}>"


def _list(shape: Shape, name: str, items: list[Any], protocol: str) -> Iterator[str]:
    item_name = str(shape.member.serialization.get("name", "item" if protocol == "ec2" else "member"))
    if shape.serialization.get("flattened"):
        for item in items:
            yield from _element(shape.member, name, item, protocol)
        return
    inner = "".join(part for item in items for part in _element(shape.member, item_name, item, protocol))
    yield f"<{name}>{inner}</{name}>"


def _scalar_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value)


def _text(value: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", value))


def _plain(shape: Shape, value: Any) -> Any:
    if shape.type_name == "structure":
        strangers = value.keys() - shape.members.keys()
        assert not strangers, f"{shape.name} has no members {sorted(strangers)}"
        return {name: _plain(shape.members[name], item) for name, item in value.items() if item is not None}
    if shape.type_name == "list":
        return [_plain(shape.member, item) for item in value]
    if shape.type_name == "map":
        return {key: _plain(shape.value, item) for key, item in value.items()}
    if isinstance(value, datetime):
        return value.timestamp()
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value
