"""What is wrong with a request's parameters, and how AWS says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatewatch.aws.error import AwsError
from gatewatch.aws.services import Service

#: A request that is wrong in more places than this is told of the first ones.
PROBLEMS_MAX = 20

MISSING = "Member must not be null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One parameter that breaks the model.  `path` is dotted, list items counted from 1 (`Tags.1.Key`)."""

    path: str
    value: str | None
    constraint: str
    unknown: bool = False


def error_of(service: Service, problems: Sequence[Problem]) -> AwsError:
    """The answer to a request with these problems, of which there is at least one."""
    if service.protocol == "ec2":
        return _ec2_error(problems[0])
    unknown = next((problem for problem in problems if problem.unknown), None)
    if unknown:
        # AWS passes over parameters it does not know.  gatewatch refuses them: what it does not know it does not do.
        return AwsError(service.validation_code, f"The parameter {unknown.path} is not recognized")
    told = problems[:PROBLEMS_MAX]
    count = f"{len(told)} validation error{'s' if len(told) > 1 else ''} detected: "
    return AwsError(service.validation_code, count + "; ".join(_sentence(problem) for problem in told))


def _sentence(problem: Problem) -> str:
    value = "null" if problem.value is None else f"'{problem.value}'"
    return f"Value {value} at '{_member_path(problem.path)}' failed to satisfy constraint: {problem.constraint}"


def _member_path(path: str) -> str:
    # Tags.1.Key is told as tags.1.member.key.
    parts: list[str] = []
    for part in path.split("."):
        parts += [part, "member"] if part.isdigit() else [part[:1].lower() + part[1:]]
    return ".".join(parts)


def _ec2_error(problem: Problem) -> AwsError:
    if problem.unknown:
        return AwsError("UnknownParameter", f"The parameter {problem.path} is not recognized")
    if problem.value is None:
        return AwsError("MissingParameter", f"The request must contain the parameter {problem.path}")
    return AwsError(
        "InvalidParameterValue",
        f"Value ({problem.value}) for parameter {problem.path} is invalid. {problem.constraint}",
    )
