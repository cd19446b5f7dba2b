"""Parameters held against the service model: what must be there, which values, lengths, ranges and patterns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.model import Shape

from gatewatch.aws.problem import MISSING, Problem


def problems_of(shape: Shape | None, parameters: Mapping[str, Any]) -> list[Problem]:
    """Everything that breaks the model, in the model's order."""
    return [] if shape is None else list(_structure(shape, parameters, ""))


def _structure(shape: Shape, values: Mapping[str, Any], path: str) -> Iterator[Problem]:
    for name, member in shape.members.items():
        value = values.get(name)
        if value is not None:
            yield from _value(member, value, path + name)
        elif name in shape.required_members and name not in values:
            yield Problem(path=path + name, value=None, constraint=MISSING)


def _value(shape: Shape, value: Any, path: str) -> Iterator[Problem]:
    if shape.type_name == "structure":
        yield from _structure(shape, value, path + ".")
    elif shape.type_name == "list":
        yield from _length(shape, value, path, _shown_list(value))
        for number, item in enumerate(value, 1):
            if item is not None:
                yield from _value(shape.member, item, f"{path}.{number}")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from _value(shape.value, item, f"{path}.{key}")
    elif shape.type_name == "string":
        yield from _string(shape, value, path)
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _range(shape, value, path)


def _shown_list(value: list[Any]) -> str:
    return "[" + ", ".join(str(item) for item in value)[:200] + "]"


def _string(shape: Shape, value: str, path: str) -> Iterator[Problem]:
    yield from _length(shape, value, path, value[:200])
    if shape.enum and value not in shape.enum:
        allowed = ", ".join(shape.enum)
        yield Problem(path=path, value=value[:200], constraint=f"Member must satisfy enum value set: [{allowed}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        yield Problem(
            path=path, value=value[:200], constraint=f"Member must satisfy regular expression pattern: {pattern}"
        )


def _length(shape: Shape, value: str | list[Any], path: str, shown: str) -> Iterator[Problem]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and len(value) < least:
        yield Problem(path=path, value=shown, constraint=f"Member must have length greater than or equal to {least}")
    if most is not None and len(value) > most:
        yield Problem(path=path, value=shown, constraint=f"Member must have length less than or equal to {most}")


def _range(shape: Shape, value: float, path: str) -> Iterator[Problem]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        constraint = f"Member must have value greater than or equal to {least}"
        yield Problem(path=path, value=str(value), constraint=constraint)
    if most is not None and value > most:
        yield Problem(path=path, value=str(value), constraint=f"Member must have value less than or equal to {most}")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # The models are written for Java.  Letters and digits of any script are Python's \w (the underscore it adds is
    # allowed by every pattern that has them), separators are its white space.
    python = pattern.replace(r"\p{L}", r"\w").replace(r"\p{N}", r"\d").replace(r"\p{Z}", " \u00a0\u2003\u3000")
    return re.compile(python)
