"""The query protocol, read by botocore."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gatewatch.aws.error import AwsError
from gatewatch.aws.protocols.query import Query
from gatewatch.aws.services import CLOUDWATCH, ELBV2, STS, Service, model
from tests.gatewatch.aws.protocols.reading import parsed

NOW = datetime(2026, 11, 23, 1, 2, 3, 456_000, tzinfo=UTC)


@pytest.mark.parametrize(("service", "operation", "result"), [
    (ELBV2, "DescribeLoadBalancers", {"LoadBalancers": [
        {"LoadBalancerName": "a<b>&\"c'", "CreatedTime": NOW, "State": {"Code": "active"}, "AvailabilityZones": []},
        {"LoadBalancerName": "second"},
    ], "NextMarker": "m"}),
    (ELBV2, "DescribeTargetGroups", {"TargetGroups": [{"Port": 6081, "HealthCheckEnabled": True}]}),
    (ELBV2, "DeleteLoadBalancer", {}),
    (STS, "GetCallerIdentity", {"Account": "1"}),
    (CLOUDWATCH, "GetMetricStatistics", {"Datapoints": [{"Timestamp": NOW, "ExtendedStatistics": {"p99": 1.5}}]}),
])
def test_results(service: Service, operation: str, result: dict[str, Any]) -> None:
    made = Query().result(service, model(service.name).operation_model(operation), result, "rid")
    found = parsed(service, operation, made, "query")
    assert found.pop("ResponseMetadata")["RequestId"] == "rid"
    assert found == result


def test_errors() -> None:
    answer = Query().error(ELBV2, AwsError("Some.Code", "a <b> & \x00 c", 412), "rid")
    found = parsed(ELBV2, "DescribeTags", answer, "query")
    assert (found["Error"]["Code"], found["Error"]["Message"], answer.code) == ("Some.Code", "a <b> & \ufffd c", "Some.Code")
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 412


def test_a_form_names_its_service_by_its_version() -> None:
    reading = Query().read({}, "/", b"Action=ListMetrics&Version=2010-08-01")
    assert (reading.service, reading.operation) == (CLOUDWATCH, "ListMetrics")
    for body, code in ((b"Version=2010-08-01", "MissingAction"), (b"Action=A&Version=1", "NoSuchVersion")):
        with pytest.raises(AwsError, match=code):
            Query().read({}, "/", body)
