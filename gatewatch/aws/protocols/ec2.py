"""The ec2 protocol: query's form with other names for lists and members, and XML of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel

from gatewatch.aws.answer import Answer
from gatewatch.aws.error import AwsError
from gatewatch.aws.protocols import xml
from gatewatch.aws.protocols.query import Query
from gatewatch.aws.services import EC2, Service


class Ec2(Query):
    """As query, save what is here."""

    name = "ec2"

    def recognise(self, headers: Mapping[str, str], path: str) -> bool:
        """Signed for ec2."""
        return "/ec2/aws4_request" in headers.get("authorization", "")

    def seeming_service(self, headers: Mapping[str, str], path: str) -> Service:
        """The only one."""
        return EC2

    def result(self, service: Service, operation: OperationModel, result: Mapping[str, Any], request_id: str) -> Answer:
        """`<NameResponse>` with the request's id and the members beside each other."""
        name, shape = operation.name, operation.output_shape
        content = "" if shape is None else "".join(xml.members(shape, result, self.name))
        return xml.document(200, (
            f'<{name}Response xmlns="{service.namespace}"><requestId>{request_id}</requestId>{content}</{name}Response>'
        ), request_id)

    def error(self, service: Service, error: AwsError, request_id: str) -> Answer:
        """`<Response>` with a list of one error."""
        return xml.document(error.status, (
            f"<Response><Errors><Error><Code>{xml.text(error.code)}</Code><Message>{xml.text(error.message)}</Message></Error>"
            f"</Errors><RequestID>{request_id}</RequestID></Response>"
        ), request_id, code=error.code)
