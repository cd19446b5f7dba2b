"""AWS's sentences."""

from __future__ import annotations

from gatewatch.aws.problem import MISSING, PROBLEMS_MAX, Problem, error_of
from gatewatch.aws.services import CLOUDTRAIL, EC2, ELBV2

NULL = Problem(path="Tags.2.Key", value=None, constraint=MISSING)
UNKNOWN = Problem(path="Colour", value=None, constraint="", unknown=True)


def test_elbv2() -> None:
    error = error_of(ELBV2, [NULL, Problem(path="Port", value="0", constraint="Member must have value …")])
    assert (error.code, error.status) == ("ValidationError", 400)
    assert error.message == (
        "2 validation errors detected: Value null at 'tags.2.member.key' failed to satisfy constraint: Member must not"
        " be null; Value '0' at 'port' failed to satisfy constraint: Member must have value …"
    )


def test_an_unknown_parameter_is_told_first() -> None:
    assert error_of(ELBV2, [NULL, UNKNOWN]).message == "The parameter Colour is not recognized"
    assert error_of(CLOUDTRAIL, [UNKNOWN]).code == "ValidationException"


def test_ec2() -> None:
    assert error_of(EC2, [NULL]).code == "MissingParameter"
    assert error_of(EC2, [UNKNOWN]).code == "UnknownParameter"
    wrong = error_of(EC2, [Problem(path="MaxResults", value="1", constraint="Member must …")])
    assert (wrong.code, wrong.message) == (
        "InvalidParameterValue", "Value (1) for parameter MaxResults is invalid. Member must …"
    )


def test_a_message_is_bounded() -> None:
    assert error_of(ELBV2, [NULL] * 1000).message.count("tags.2.member.key") == PROBLEMS_MAX
