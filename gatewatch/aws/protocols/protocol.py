"""What an AWS protocol is: how a request is recognised and read, once, and how answers and errors are written.

One file of this folder has each: `query`, `ec2`, `json` (1.0 and 1.1), `cbor`.  All read and write along botocore's models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.model import OperationModel, Shape

from gatewatch.aws.answer import Answer
from gatewatch.aws.error import AwsError
from gatewatch.aws.problem import Problem
from gatewatch.aws.services import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A request that was read: the service and operation it names, and what it holds, in its protocol's own form."""

    service: Service
    operation: str
    content: Any


class AwsProtocol(Protocol):
    """One protocol."""

    name: str

    def recognise(self, headers: Mapping[str, str], path: str) -> bool:
        """Whether a request seems to be in this protocol, by its headers (names in small letters) and path."""

    def seeming_service(self, headers: Mapping[str, str], path: str) -> Service:
        """The service it seems to be for, so that what cannot be read is answered in a form that its client understands."""

    def read(self, headers: Mapping[str, str], path: str, body: bytes) -> Reading:
        """Read it; `AwsError` for a request that is none of this protocol, or for no service."""

    def parameters(self, reading: Reading, shape: Shape | None) -> tuple[dict[str, Any], list[Problem]]:
        """Its parameters with the types of the operation's input shape, as far as they can be read, and what is wrong with the rest."""

    def result(self, service: Service, operation: OperationModel, result: Mapping[str, Any], request_id: str) -> Answer:
        """A success."""

    def error(self, service: Service, error: AwsError, request_id: str) -> Answer:
        """An error."""

    def not_served(self, reading: Reading) -> AwsError:
        """The error for an operation that is not served."""
