"""JSON bodies read along the model."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from gatewatch.aws.error import AwsError
from gatewatch.aws.problem import Problem
from gatewatch.aws.protocols.json import Json, read_object
from gatewatch.aws.protocols.protocol import Reading
from gatewatch.aws.services import CLOUDTRAIL, CLOUDWATCH, model
from tests.gatewatch.aws.protocols.reading import parsed

LOOKUP = model("cloudtrail").operation_model("LookupEvents").input_shape


def read_parameters(content: dict[str, Any], shape: Any) -> tuple[dict[str, Any], list[Problem]]:
    body = json.dumps(content).encode()
    return Json().parameters(Reading(service=CLOUDTRAIL, operation="LookupEvents", content=body), shape)


def test_values_have_the_models_types() -> None:
    found, problems = read_parameters(
        {"StartTime": 1_700_000_000.5, "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "x"}],
         "MaxResults": 5, "NextToken": None}, LOOKUP,
    )
    assert problems == []
    assert found == {
        "StartTime": datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC), "MaxResults": 5,
        "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "x"}],
    }


@pytest.mark.parametrize(("content", "path"), [
    ({"Colour": 1}, "Colour"),
    ({"MaxResults": "5"}, "MaxResults"),
    ({"MaxResults": True}, "MaxResults"),
    ({"StartTime": "2026"}, "StartTime"),
    ({"StartTime": 1e300}, "StartTime"),
    ({"LookupAttributes": {}}, "LookupAttributes"),
    ({"LookupAttributes": [{"AttributeKey": 7}]}, "LookupAttributes.1.AttributeKey"),
])
def test_what_does_not_fit_is_named(content: dict[str, Any], path: str) -> None:
    _, problems = read_parameters(content, LOOKUP)
    assert [problem.path for problem in problems] == [path]


@pytest.mark.parametrize("body", [b"{", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_what_is_no_object(body: bytes) -> None:
    with pytest.raises(AwsError, match="SerializationException"):
        read_object(body)


def test_an_empty_body_is_an_empty_object() -> None:
    assert read_object(b"") == {}


def test_results() -> None:
    result = {"Events": [{"EventId": "e", "EventTime": datetime(2026, 11, 23, 1, 2, 3, 456_000, tzinfo=UTC), "Resources": []}]}
    made = Json().result(CLOUDTRAIL, model("cloudtrail").operation_model("LookupEvents"), result, "rid")
    found = parsed(CLOUDTRAIL, "LookupEvents", made, "json")
    assert found["Events"][0]["EventTime"].timestamp() == 1_795_395_723.456
    assert (found["Events"][0]["EventId"], made.content_type) == ("e", "application/x-amz-json-1.1")


def test_errors() -> None:
    answer = Json().error(CLOUDWATCH, AwsError("InvalidTimeRangeException", "no"), "rid")
    found = parsed(CLOUDWATCH, "ListMetrics", answer, "json")
    assert (found["Error"]["Code"], answer.code) == ("InvalidTimeRangeException", "InvalidTimeRangeException")
    assert answer.headers["x-amzn-query-error"] == "InvalidTimeRangeException;Sender"
    assert answer.content_type == "application/x-amz-json-1.0"


def test_a_target_that_nobody_has() -> None:
    with pytest.raises(AwsError, match=r"UnknownOperationException.*Nobody\.Does"):
        Json().read({"x-amz-target": "Nobody.Does"}, "/", b"{}")
