"""smithy-rpc-v2-cbor, as botocore's own client side writes and reads it."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.aws.error import AwsError
from gatewatch.aws.protocols.cbor import Cbor, read_map
from gatewatch.aws.services import CLOUDWATCH, model
from tests.gatewatch.aws.protocols.reading import parsed, request

NOW = datetime(2026, 11, 23, 1, 2, 3, 456_000, tzinfo=UTC)
PATH = "/service/GraniteServiceVersion20100801/operation/ListMetrics"
HEADERS = {"smithy-protocol": "rpc-v2-cbor"}


@pytest.mark.parametrize(("operation", "parameters"), [
    ("ListMetrics", {}),
    ("ListMetrics", {"Namespace": "AWS/GatewayELB", "Dimensions": [{"Name": "d", "Value": "e"}]}),
    ("PutMetricData", {"Namespace": "n", "MetricData": [
        {"MetricName": "m", "Value": 1.5, "Timestamp": NOW, "Values": [1.0, 1e300, -0.5], "StorageResolution": 1},
    ]}),
    ("GetMetricData", {"StartTime": NOW, "EndTime": NOW, "MetricDataQueries": [{"Id": "a", "Expression": "1", "ReturnData": False}]}),
])
def test_what_botocore_writes_is_read_back(operation: str, parameters: dict[str, Any]) -> None:
    headers, path, body = request(CLOUDWATCH, operation, parameters, "cbor")
    assert Cbor().recognise(headers, path)
    reading = Cbor().read(headers, path, body)
    assert (reading.service, reading.operation) == (CLOUDWATCH, operation)
    assert Cbor().parameters(reading, model("cloudwatch").operation_model(operation).input_shape) == (parameters, [])


def test_results() -> None:
    result = {"MetricDataResults": [{"Id": "a", "Timestamps": [NOW], "Values": [1.5, 2.0], "StatusCode": "Complete"}], "NextToken": "n"}
    made = Cbor().result(CLOUDWATCH, model("cloudwatch").operation_model("GetMetricData"), result, "rid")
    found = parsed(CLOUDWATCH, "GetMetricData", made, "cbor")
    assert found.pop("ResponseMetadata")["RequestId"] == "rid"
    assert found == result
    assert (made.content_type, made.headers["smithy-protocol"]) == ("application/cbor", "rpc-v2-cbor")


def test_an_operation_without_output_is_an_empty_map() -> None:
    made = Cbor().result(CLOUDWATCH, model("cloudwatch").operation_model("SetAlarmState"), {}, "rid")
    assert cbor2.loads(made.body) == {}


def test_errors() -> None:
    made = Cbor().error(CLOUDWATCH, AwsError("ResourceNotFound", "no such <alarm>", 404), "rid")
    found = parsed(CLOUDWATCH, "DescribeAlarms", made, "cbor")
    assert (found["Error"]["Code"], found["Error"]["Message"]) == ("ResourceNotFound", "no such <alarm>")
    assert (made.status, made.code) == (404, "ResourceNotFound")


@pytest.mark.parametrize("path", ["/service", "/service/GraniteServiceVersion20100801", "/service/Logs_20140328/operation/StartQuery",
                                  "/service/X/operation/Y", PATH + "/more", "/"])
def test_paths_at_which_there_is_nothing(path: str) -> None:
    with pytest.raises(AwsError, match="UnknownOperationException") as refused:
        Cbor().read(HEADERS, path, b"")
    assert refused.value.status == 404


def test_a_request_that_does_not_say_its_protocol_is_told_what_to_say() -> None:
    with pytest.raises(AwsError, match="Smithy-Protocol must be rpc-v2-cbor"):
        Cbor().read({}, PATH, b"")


@pytest.mark.parametrize("body", [b"\x01", b"\x80", b"\xa1", b"\xff", b"{}", b"\x81" * 100_000, b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff"])
def test_what_is_no_map(body: bytes) -> None:
    with pytest.raises(AwsError, match="SerializationException"):
        read_map(body)


@given(st.binary(max_size=40))
def test_any_bytes_give_parameters_or_an_aws_error(body: bytes) -> None:
    with suppress(AwsError):
        reading = Cbor().read(HEADERS, PATH, body)
        Cbor().parameters(reading, model("cloudwatch").operation_model("PutMetricData").input_shape)


def test_what_does_not_fit_is_named() -> None:
    reading = Cbor().read(HEADERS, PATH, cbor2.dumps({"Namespace": 1, "MetricData": [{"Timestamp": 1e300, "Value": "x"}], "y": 1}))
    _, problems = Cbor().parameters(reading, model("cloudwatch").operation_model("PutMetricData").input_shape)
    assert {problem.path for problem in problems} == {"y", "Namespace", "MetricData.1.Timestamp", "MetricData.1.Value"}
