"""A call as a backend sees it: who asks for which operation with which parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gatewatch.aws.error import AwsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks.  `user_name` is the credentials file's name for the key, or the key itself where there is no file."""

    access_key_id: str
    user_name: str
    source_ip_address: str
    user_agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request.  `service` is botocore's name (`elbv2`), parameters have the model's names and types.

    `refusal` is set when the request is already known to be wrong: a backend records the call and raises it.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    request_id: str
    caller: Caller
    refusal: AwsError | None = None


class Backend(Protocol):
    """What the server is put in front of."""

    def operations(self, service: str) -> frozenset[str]:
        """The operations of a service that are served; empty for a service that is not."""

    def __call__(self, call: Call) -> Mapping[str, Any]:
        """Do it and answer with the model's output members, or raise `AwsError`.  Called from several threads."""
