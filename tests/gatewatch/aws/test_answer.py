"""Answers as botocore's own parsers read them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.aws.answer import Answer, json_error, json_result, query_error, query_result
from gatewatch.aws.error import AwsError
from gatewatch.aws.services import CLOUDTRAIL, CLOUDWATCH, EC2, ELBV2, STS, Service, model

NOW = datetime(2026, 11, 23, 1, 2, 3, 456_000, tzinfo=UTC)


def parsed(service: Service, operation: str, answer: Answer, protocol: str) -> dict[str, Any]:
    shape = model(service.name).operation_model(operation).output_shape
    headers = {name.lower(): value for name, value in answer.headers.items()}
    found: dict[str, Any] = create_parser(protocol).parse(
        {"status_code": answer.status, "headers": headers, "body": answer.body}, shape
    )
    return found


@pytest.mark.parametrize(("service", "operation", "result"), [
    (ELBV2, "DescribeLoadBalancers", {"LoadBalancers": [
        {"LoadBalancerName": "a<b>&\"c'", "CreatedTime": NOW, "State": {"Code": "active"}, "AvailabilityZones": []},
        {"LoadBalancerName": "second"},
    ], "NextMarker": "m"}),
    (ELBV2, "DescribeTargetGroups", {"TargetGroups": [{"Port": 6081, "HealthCheckEnabled": True}]}),
    (ELBV2, "DeleteLoadBalancer", {}),
    (EC2, "DescribeVpcs", {"Vpcs": [{"VpcId": "v", "IsDefault": False, "Tags": [{"Key": "k", "Value": "v"}]}]}),
    (STS, "GetCallerIdentity", {"Account": "1"}),
    (CLOUDWATCH, "GetMetricStatistics", {"Datapoints": [{"Timestamp": NOW, "ExtendedStatistics": {"p99": 1.5}}]}),
])
def test_xml(service: Service, operation: str, result: dict[str, Any]) -> None:
    operation_model = model(service.name).operation_model(operation)
    found = parsed(service, operation, query_result(service, operation_model, result, "rid"), service.protocol)
    assert found.pop("ResponseMetadata")["RequestId"] == "rid"
    assert found == result


def test_json() -> None:
    result = {"Events": [{"EventId": "e", "EventTime": NOW, "Resources": []}]}
    operation_model = model("cloudtrail").operation_model("LookupEvents")
    found = parsed(CLOUDTRAIL, "LookupEvents", json_result(CLOUDTRAIL, operation_model, result, "rid"), "json")
    assert found["Events"][0]["EventTime"].timestamp() == NOW.timestamp()
    assert found["Events"][0]["EventId"] == "e"


@pytest.mark.parametrize("service", [ELBV2, EC2])
def test_xml_errors(service: Service) -> None:
    answer = query_error(service, AwsError("Some.Code", "a <b> & \x00 c", 412), "rid")
    operation = "DescribeVpcs" if service is EC2 else "DescribeTags"
    found = parsed(service, operation, answer, service.protocol)
    assert (found["Error"]["Code"], found["Error"]["Message"]) == ("Some.Code", "a <b> & \ufffd c")
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 412


def test_json_errors() -> None:
    answer = json_error(CLOUDTRAIL, AwsError("InvalidTimeRangeException", "no"), "rid")
    found = parsed(CLOUDTRAIL, "LookupEvents", answer, "json")
    assert found["Error"]["Code"] == "InvalidTimeRangeException"
    assert answer.headers["x-amzn-query-error"] == "InvalidTimeRangeException;Sender"


@given(st.text(max_size=20))
def test_any_text_survives_xml_or_is_replaced(text: str) -> None:
    operation_model = model("elbv2").operation_model("DescribeLoadBalancers")
    answer = query_result(ELBV2, operation_model, {"NextMarker": text}, "rid")
    found = parsed(ELBV2, "DescribeLoadBalancers", answer, "query").get("NextMarker", "")
    legal = [character for character in text if character >= " " and character not in "\ufffe\uffff"]
    assert [character for character in found if character not in "\ufffd\t\n\r"] == [
        character for character in legal if character != "\ufffd"
    ]


def test_a_member_the_model_does_not_have_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="Colour"):
        query_result(ELBV2, model("elbv2").operation_model("DescribeTags"), {"Colour": 1}, "rid")
