"""The protocols in the order in which they are tried, and a request read by the one that recognises it."""

from __future__ import annotations

from collections.abc import Mapping

from gatewatch.aws.error import AwsError
from gatewatch.aws.protocols.cbor import Cbor
from gatewatch.aws.protocols.ec2 import Ec2
from gatewatch.aws.protocols.json import Json
from gatewatch.aws.protocols.protocol import AwsProtocol, Reading
from gatewatch.aws.protocols.query import Query
from gatewatch.aws.services import Service

CBOR, JSON, EC2_QUERY, QUERY = Cbor(), Json(), Ec2(), Query()
PROTOCOLS: tuple[AwsProtocol, ...] = (CBOR, JSON, EC2_QUERY, QUERY)


def seeming(headers: Mapping[str, str], path: str = "/") -> tuple[AwsProtocol, Service]:
    """The protocol and service that a request seems to be of, whatever is wrong with it."""
    protocol = next(each for each in PROTOCOLS if each.recognise(headers, path))
    return protocol, protocol.seeming_service(headers, path)


def read(headers: Mapping[str, str], path: str, body: bytes) -> tuple[AwsProtocol, Reading]:
    """The request as its protocol reads it; `AwsError` if that cannot, or has nothing at that path."""
    protocol, _ = seeming(headers, path)
    if protocol is not CBOR and path != "/":
        raise AwsError("UnknownOperationException", f"There is nothing at {path[:200]}", 404)
    reading = protocol.read(headers, path, body)
    if protocol in (EC2_QUERY, QUERY):
        # A form says by its version whose it is, however it is signed.
        protocol = EC2_QUERY if reading.service.protocol == "ec2" else QUERY
    return protocol, reading
