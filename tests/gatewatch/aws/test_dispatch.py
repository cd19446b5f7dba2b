"""Where a request goes, who is let in, what is counted."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import cbor2
import msgspec
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gatewatch.aws.answer import Answer
from gatewatch.aws.credentials import Credential
from gatewatch.aws.dispatch import Dispatcher
from gatewatch.aws.error import AwsError
from gatewatch.aws.sigv4 import SignedRequest

LIST = b"Action=DescribeLoadBalancers&Version=2015-12-01"
TRAIL = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"


def signed(
    body: bytes, *, service: str = "elasticloadbalancing", target: str = "", path: str = "/", key: str = "AKID",
) -> SignedRequest:
    headers = {
        "authorization": f"AWS4-HMAC-SHA256 Credential={key}/20261123/us-east-1/{service}/aws4_request, "
                         f"SignedHeaders=host;x-amz-date, Signature={'a' * 64}",
        "user-agent": "aws-cli/1",
    }
    if target:
        headers["x-amz-target"] = target
    return SignedRequest(method="POST", path=path, query="", headers=headers, body=body)


def dispatcher(backend: Any, **credentials: Credential) -> Dispatcher:
    return Dispatcher(backend, credentials=credentials or None, clock_s=lambda: 0.0)


def error_of(answer: Answer) -> tuple[int, str]:
    if answer.content_type == "application/cbor":
        return answer.status, cbor2.loads(answer.body)["__type"].rpartition("#")[2]
    text = answer.body.decode()
    if answer.content_type.startswith("text/xml"):
        return answer.status, text.split("<Code>")[1].split("</Code>")[0]
    return answer.status, msgspec.json.decode(answer.body)["__type"]


def test_a_query_call_reaches_the_backend(backend: Any) -> None:
    door = dispatcher(backend)
    answer = door.answer(signed(LIST + b"&Names.member.1=gw"), "192.0.2.1")
    assert answer.status == 200
    (call,) = backend.calls
    assert (call.service, call.operation, call.parameters) == ("elbv2", "DescribeLoadBalancers", {"Names": ["gw"]})
    assert (call.caller.access_key_id, call.caller.user_name, call.caller.user_agent) == ("AKID", "AKID", "aws-cli/1")
    assert call.caller.source_ip_address == "192.0.2.1"
    assert call.request_id in answer.body.decode()
    assert door.counts() == {"requests": {"elbv2.DescribeLoadBalancers": 1}, "errors": {}}


def test_a_json_call_reaches_the_backend(backend: Any) -> None:
    answer = dispatcher(backend).answer(signed(b'{"MaxResults": 5}', service="cloudtrail", target=TRAIL), "::1")
    assert (answer.status, answer.body, answer.content_type) == (200, b"{}", "application/x-amz-json-1.1")
    assert backend.calls[0].parameters == {"MaxResults": 5}


@pytest.mark.parametrize(("request_sent", "error"), [
    (signed(b""), (400, "MissingAction")),
    (signed(b"nonsense"), (400, "MalformedQueryString")),
    (signed(b"Action=DescribeLoadBalancers&Version=2012-06-01"), (400, "NoSuchVersion")),
    (signed(b"Action=DescribeLoadBalancers"), (400, "NoSuchVersion")),
    (signed(b"Action=CreateRule&Version=2015-12-01"), (400, "InvalidAction")),
    (signed(b"Action=Nothing&Version=2015-12-01"), (400, "InvalidAction")),
    (signed(b"Action=DescribeInstances&Version=2016-11-15", service="ec2"), (400, "InvalidAction")),
    (signed(LIST, service="ec2"), (403, "SignatureDoesNotMatch")),
    (signed(LIST, path="/service/GraniteServiceVersion20100801/operation/ListMetrics"),
     (400, "UnknownOperationException")),
    (signed(LIST, path="/elsewhere"), (404, "UnknownOperationException")),
    (signed(b"{}", target="S3.List"), (400, "UnknownOperationException")),
    (signed(b"{}", service="cloudtrail", target=TRAIL.replace("LookupEvents", "CreateTrail")),
     (400, "UnknownOperationException")),
    (signed(b"[]", service="cloudtrail", target=TRAIL), (400, "SerializationException")),
    (signed(b'{"MaxResults": 51}', service="cloudtrail", target=TRAIL), (400, "ValidationException")),
    (SignedRequest(method="POST", path="/", query="", headers={}, body=LIST), (403, "MissingAuthenticationToken")),
    (SignedRequest(method="POST", path="/", query="", headers={"authorization": "Basic x"}, body=LIST),
     (400, "IncompleteSignature")),
])
def test_what_is_refused(backend: Any, request_sent: SignedRequest, error: tuple[int, str]) -> None:
    door = dispatcher(backend)
    assert error_of(door.answer(request_sent, "192.0.2.1")) == error
    counts = door.counts()
    assert (sum(counts["requests"].values()), counts["errors"]) == (1, {error[1]: 1})


def test_the_backends_refusal_is_answered_with_its_status(backend: Any) -> None:
    backend.error = AwsError("ServiceUnavailable", "no & no", 503)
    answer = dispatcher(backend).answer(signed(LIST), "192.0.2.1")
    assert answer.status == 503
    assert b"<Type>Receiver</Type><Code>ServiceUnavailable</Code><Message>no &amp; no</Message>" in answer.body


def test_a_call_that_breaks_the_model_is_shown_to_the_backend_with_its_refusal(backend: Any) -> None:
    answer = dispatcher(backend).answer(signed(LIST + b"&PageSize=0&Names.member.1=gw"), "192.0.2.1")
    assert error_of(answer) == (400, "ValidationError")
    assert backend.calls[0].refusal is not None
    assert backend.calls[0].parameters == {"Names": ["gw"], "PageSize": 0}


def botocore_signed(secret: str) -> SignedRequest:
    request = AWSRequest("POST", "http://127.0.0.1:8060/", data=LIST, headers={"Content-Type": "x", "Host": "127.0.0.1:8060"})
    SigV4Auth(Credentials("AKID", secret), "elasticloadbalancing", "us-east-1").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return SignedRequest(method="POST", path="/", query="", headers=headers, body=LIST)


def test_with_credentials_the_signature_must_be_true(backend: Any) -> None:
    request = botocore_signed("secret")
    now_s = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()

    def answer(request: SignedRequest, at_s: float = now_s, **credentials: Credential) -> Answer:
        return Dispatcher(backend, credentials=credentials, clock_s=lambda: at_s).answer(request, "192.0.2.1")

    alice = Credential(user_name="alice", secret="secret")
    assert answer(request, AKID=alice).status == 200
    assert backend.calls[-1].caller.user_name == "alice"
    assert error_of(answer(request, OTHER=alice)) == (403, "InvalidClientTokenId")
    assert error_of(answer(botocore_signed("wrong"), AKID=alice)) == (403, "SignatureDoesNotMatch")
    assert error_of(answer(request, now_s + 301, AKID=alice)) == (400, "RequestExpired")


def test_ec2_says_so_in_its_own_words(backend: Any) -> None:
    request = signed(b"Action=DescribeVpcs&Version=2016-11-15", service="ec2")
    door = dispatcher(backend, OTHER=Credential(user_name="a", secret="b"))
    assert error_of(door.answer(request, "::1")) == (401, "AuthFailure")


def test_a_cbor_call_reaches_the_backend_and_is_answered_in_cbor(backend: Any) -> None:
    backend.result = {"Metrics": [{"MetricName": "m"}]}
    path = "/service/GraniteServiceVersion20100801/operation/ListMetrics"
    plain = signed(cbor2.dumps({"Namespace": "n"}), service="monitoring", path=path)
    request = dataclasses.replace(plain, headers={**plain.headers, "smithy-protocol": "rpc-v2-cbor"})
    answer = dispatcher(backend).answer(request, "192.0.2.1")
    assert (answer.status, cbor2.loads(answer.body)) == (200, {"Metrics": [{"MetricName": "m"}]})
    assert (backend.calls[0].operation, backend.calls[0].parameters) == ("ListMetrics", {"Namespace": "n"})
