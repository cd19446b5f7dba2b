"""Which protocol a request is read by."""

from __future__ import annotations

from typing import Any

import pytest

from gatewatch.aws.error import AwsError
from gatewatch.aws.protocols.table import read, seeming
from gatewatch.aws.services import CLOUDTRAIL, CLOUDWATCH, EC2, ELBV2, Service
from tests.gatewatch.aws.protocols.reading import request

SIGNED_FOR_EC2 = {"authorization": "AWS4-HMAC-SHA256 Credential=A/20261123/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0"}
VPCS = b"Action=DescribeVpcs&Version=2016-11-15"


@pytest.mark.parametrize("protocol", ["cbor", "json"])
@pytest.mark.parametrize("parameters", [{}, {"Namespace": "n"}])
def test_cloudwatch_speaks_three_protocols(protocol: str, parameters: dict[str, Any]) -> None:
    found, reading = read(*request(CLOUDWATCH, "ListMetrics", parameters, protocol))
    assert (found.name, reading.service, reading.operation) == (protocol, CLOUDWATCH, "ListMetrics")
    by_form, reading = read({}, "/", b"Action=ListMetrics&Version=2010-08-01")
    assert (by_form.name, reading.service) == ("query", CLOUDWATCH)


@pytest.mark.parametrize(("headers", "body", "name", "service"), [
    (SIGNED_FOR_EC2, VPCS, "ec2", EC2),
    ({}, VPCS, "ec2", EC2),
    (SIGNED_FOR_EC2, b"Action=DescribeTags&Version=2015-12-01", "query", ELBV2),
    ({"x-amz-target": "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"}, b"{}", "json", CLOUDTRAIL),
])
def test_a_form_is_whose_its_version_says(headers: dict[str, str], body: bytes, name: str, service: Service) -> None:
    protocol, reading = read(headers, "/", body)
    assert (protocol.name, reading.service) == (name, service)


@pytest.mark.parametrize("headers", [{}, SIGNED_FOR_EC2, {"x-amz-target": "Logs_20140328.StartQuery"}])
def test_other_paths_are_nobodys(headers: dict[str, str]) -> None:
    with pytest.raises(AwsError, match="There is nothing at /else"):
        read(headers, "/else", VPCS)


def test_what_cannot_be_read_seems_to_be_something() -> None:
    assert [(seeming(*one)[0].name, seeming(*one)[1]) for one in (
        ({}, "/"), (SIGNED_FOR_EC2, "/"), ({"x-amz-target": "GraniteServiceVersion20100801.X"}, "/"), ({}, "/service/x"),
        ({"smithy-protocol": "rpc-v2-cbor"}, "/"),
    )] == [("query", ELBV2), ("ec2", EC2), ("json", CLOUDWATCH), ("cbor", CLOUDWATCH), ("cbor", CLOUDWATCH)]
