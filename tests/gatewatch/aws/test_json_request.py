"""JSON bodies read along the model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gatewatch.aws.error import AwsError
from gatewatch.aws.json_request import read_body, read_parameters
from gatewatch.aws.services import model

LOOKUP = model("cloudtrail").operation_model("LookupEvents").input_shape


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
        read_body(body)


def test_an_empty_body_is_an_empty_object() -> None:
    assert read_body(b"") == {}
