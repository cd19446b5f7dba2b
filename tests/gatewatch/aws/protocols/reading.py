"""Answers as botocore's own parsers read them, and requests as its serializers write them."""

from __future__ import annotations

from typing import Any

from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from gatewatch.aws.answer import Answer
from gatewatch.aws.services import Service, model

#: botocore's names of the protocols.
BOTOCORE_NAMES = {"query": "query", "ec2": "ec2", "json": "json", "cbor": "smithy-rpc-v2-cbor"}


def parsed(service: Service, operation: str, answer: Answer, protocol: str) -> dict[str, Any]:
    """What a client makes of an answer."""
    shape = model(service.name).operation_model(operation).output_shape
    headers = {name.lower(): value for name, value in answer.headers.items()}
    found: dict[str, Any] = create_parser(BOTOCORE_NAMES[protocol]).parse(
        {"status_code": answer.status, "headers": headers, "body": answer.body}, shape
    )
    return found


def request(service: Service, operation: str, parameters: dict[str, Any], protocol: str) -> tuple[dict[str, str], str, bytes]:
    """Headers with small letters, path and body that a client sends."""
    operation_model = model(service.name).operation_model(operation)
    sent = create_serializer(BOTOCORE_NAMES[protocol], False).serialize_to_request(parameters, operation_model)
    return {name.lower(): value for name, value in sent["headers"].items()}, sent["url_path"], sent["body"]
