"""Signatures: botocore signs, this side verifies."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gatewatch.aws.error import AwsError
from gatewatch.aws.sigv4 import SignedRequest, read_signature, verify

BODY = b"Action=DescribeLoadBalancers&Version=2015-12-01"


def signed(query: str = "", token: str | None = None) -> tuple[SignedRequest, float]:
    url = "http://127.0.0.1:8060/" + (f"?{query}" if query else "")
    request = AWSRequest("POST", url, data=BODY, headers={"Content-Type": " a   b ", "Host": "127.0.0.1:8060"})
    SigV4Auth(Credentials("AKID", "secret", token), "elasticloadbalancing", "us-east-1").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    at_s = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    return SignedRequest(method="POST", path="/", query=query, headers=headers, body=BODY), at_s


@pytest.mark.parametrize("query", ["", "b=2&a=1"])
@pytest.mark.parametrize("token", [None, "session-token"])
def test_what_botocore_signs_is_true(query: str, token: str | None) -> None:
    request, at_s = signed(query, token)
    signature = read_signature(request.headers["authorization"])
    assert (signature.access_key_id, signature.region, signature.service) == ("AKID", "us-east-1", "elasticloadbalancing")
    verify(signature, "secret", request, at_s + 299)


@pytest.mark.parametrize("change", [
    {"body": BODY + b"&x=1"}, {"method": "PUT"}, {"path": "/x"}, {"query": "a=1"},
])
def test_anything_changed_makes_it_false(change: dict[str, bytes | str]) -> None:
    request, at_s = signed()
    changed = dataclasses.replace(request, **change)  # type: ignore[arg-type]
    with pytest.raises(AwsError, match="SignatureDoesNotMatch"):
        verify(read_signature(request.headers["authorization"]), "secret", changed, at_s)


def test_an_old_date_or_none_is_refused() -> None:
    request, at_s = signed()
    signature = read_signature(request.headers["authorization"])
    for late_s in (-301, 301):
        with pytest.raises(AwsError, match="RequestExpired"):
            verify(signature, "secret", request, at_s + late_s)
    dateless = dataclasses.replace(request, headers={**request.headers, "x-amz-date": "today"})
    with pytest.raises(AwsError, match="IncompleteSignature"):
        verify(signature, "secret", dateless, at_s)


def test_the_host_must_be_signed() -> None:
    request, at_s = signed()
    signature = dataclasses.replace(read_signature(request.headers["authorization"]), signed_headers=("x-amz-date",))
    with pytest.raises(AwsError, match="host header"):
        verify(signature, "secret", request, at_s)


@pytest.mark.parametrize("header", [
    "", None, "Bearer x", "AWS4-HMAC-SHA256 Credential=a/b/c", "AWS4-HMAC-SHA256 Credential=A/20261123/us-east-1/ec2/"
    "aws4_request, SignedHeaders=host, Signature=short",
])
def test_what_is_no_signature(header: str | None) -> None:
    with pytest.raises(AwsError, match=r"MissingAuthenticationToken|IncompleteSignature"):
        read_signature(header)
