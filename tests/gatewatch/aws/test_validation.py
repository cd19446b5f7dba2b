"""Parameters against the model, and what AWS says about them."""

from __future__ import annotations

from typing import Any

import pytest

from gatewatch.aws.services import model
from gatewatch.aws.validation import problems_of

CREATE = model("elbv2").operation_model("CreateTargetGroup").input_shape


@pytest.mark.parametrize(("parameters", "path", "constraint"), [
    ({}, "Name", "must not be null"),
    ({"Name": "x", "Protocol": "SCTP"}, "Protocol", "must satisfy enum value set: [HTTP, HTTPS"),
    ({"Name": "x", "Port": 0}, "Port", "value greater than or equal to 1"),
    ({"Name": "x", "Port": 65_536}, "Port", "value less than or equal to 65535"),
    ({"Name": "x", "HealthCheckPath": ""}, "HealthCheckPath", "length greater than or equal to 1"),
    ({"Name": "x", "HealthCheckPath": "/" * 1025}, "HealthCheckPath", "length less than or equal to 1024"),
    ({"Name": "x", "Tags": []}, "Tags", "length greater than or equal to 1"),
    ({"Name": "x", "Tags": [{"Key": "a"}, {"Value": "b"}]}, "Tags.2.Key", "must not be null"),
    ({"Name": "x", "Tags": [{"Key": "a\nb"}]}, "Tags.1.Key", "regular expression pattern"),
])
def test_what_breaks_the_model(parameters: dict[str, Any], path: str, constraint: str) -> None:
    (problem,) = problems_of(CREATE, parameters)
    assert problem.path == path
    assert constraint in problem.constraint


def test_what_does_not() -> None:
    good = {"Name": "x", "Protocol": "GENEVE", "Port": 6081, "Tags": [{"Key": "Größe 1", "Value": "_.:/=+-@"}]}
    assert problems_of(CREATE, good) == []
    assert problems_of(None, {}) == []
