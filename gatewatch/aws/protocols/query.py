"""The query protocol: a form with `Action` and `Version`, answered in XML (elbv2, sts, and cloudwatch for older clients)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel, Shape

from gatewatch.aws.answer import Answer
from gatewatch.aws.error import AwsError
from gatewatch.aws.problem import Problem
from gatewatch.aws.protocols import form, xml
from gatewatch.aws.protocols.protocol import Reading
from gatewatch.aws.services import BY_VERSION, ELBV2, Service


class Query:
    """Recognises whatever no other protocol does."""

    name = "query"

    def recognise(self, headers: Mapping[str, str], path: str) -> bool:
        """Always: a form has no mark of its own."""
        return True

    def seeming_service(self, headers: Mapping[str, str], path: str) -> Service:
        """elbv2: all query services write errors alike."""
        return ELBV2

    def read(self, headers: Mapping[str, str], path: str, body: bytes) -> Reading:
        """By the form's Version and Action."""
        fields = form.read_form(body)
        if "Action" not in fields:
            raise AwsError("MissingAction", "The request is missing an action or a required parameter: Action")
        version = fields.get("Version", "")
        if version not in BY_VERSION:
            raise AwsError("NoSuchVersion", f"No service of gatewatch has an API with the version '{version[:50]}'")
        return Reading(service=BY_VERSION[version], operation=fields["Action"], content=fields)

    def parameters(self, reading: Reading, shape: Shape | None) -> tuple[dict[str, Any], list[Problem]]:
        """Lists are `Name.member.1`."""
        return form.read_parameters(reading.content, shape, self.name)

    def result(self, service: Service, operation: OperationModel, result: Mapping[str, Any], request_id: str) -> Answer:
        """`<NameResponse>` with `<NameResult>` and the request's id."""
        name, shape = operation.name, operation.output_shape
        content = "" if shape is None else "".join(xml.members(shape, result, self.name))
        return xml.document(200, (
            f'<{name}Response xmlns="{service.namespace}"><{name}Result>{content}</{name}Result>'
            f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}Response>"
        ), request_id)

    def error(self, service: Service, error: AwsError, request_id: str) -> Answer:
        """`<ErrorResponse>`."""
        return xml.document(error.status, (
            f'<ErrorResponse xmlns="{service.namespace}"><Error><Type>{error.fault}</Type><Code>{xml.text(error.code)}</Code>'
            f"<Message>{xml.text(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        ), request_id, code=error.code)

    def not_served(self, reading: Reading) -> AwsError:
        """InvalidAction."""
        return AwsError(
            "InvalidAction",
            f"Could not find operation {reading.operation[:100]} for version {reading.service.version}: gatewatch does not serve it",
        )
