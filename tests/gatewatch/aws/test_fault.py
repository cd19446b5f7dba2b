"""The server's own answers in the caller's protocol."""

from __future__ import annotations

import json

import pytest
from botocore.parsers import create_parser

from gatewatch.aws.fault import fault, overload

EC2 = {"authorization": "AWS4-HMAC-SHA256 Credential=AKID/20261123/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0"}
CBOR = {"smithy-protocol": "rpc-v2-cbor"}
JSON = {"x-amz-target": "Logs_20140328.StartQuery"}


@pytest.mark.parametrize(("headers", "protocol"), [({}, "query"), (EC2, "ec2"), (JSON, "json"), (CBOR, "smithy-rpc-v2-cbor")])
@pytest.mark.parametrize("status", [400, 404, 405, 408, 411, 413, 414, 431, 500, 503])
def test_sdks_read_them(headers: dict[str, str], protocol: str, status: int) -> None:
    made = fault(headers, status, "it <is> so")
    parsed = create_parser(protocol).parse({"status_code": made.status, "headers": dict(made.headers), "body": made.body}, None)
    assert parsed["Error"]["Code"]
    assert parsed["Error"]["Message"] == "it <is> so"
    assert made.status == status
    assert made.headers["x-amzn-RequestId"]


@pytest.mark.parametrize(("headers", "code", "status"), [
    ({}, "Throttling", 400), (EC2, "RequestLimitExceeded", 503), (JSON, "ThrottlingException", 400),
])
def test_overload_is_said_in_words_that_are_waited_after(headers: dict[str, str], code: str, status: int) -> None:
    made = overload(headers, "try again")
    assert (made.status, code in made.body.decode()) == (status, True)
    if headers is JSON:
        assert json.loads(made.body)["__type"] == code
