"""JSON bodies (protocols json 1.0 and 1.1), read along the operation's input shape."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any

import msgspec
from botocore.model import Shape

from gatewatch.aws.error import AwsError
from gatewatch.aws.problem import Problem

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "character": (str,), "boolean": (bool,), "integer": (int,), "long": (int,),
    "float": (float, int), "double": (float, int), "timestamp": (float, int), "blob": (str,),
    "structure": (dict,), "list": (list,), "map": (dict,),
}


def read_body(body: bytes) -> dict[str, Any]:
    """The JSON object in the body; an empty body is an empty object."""
    try:
        content = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, RecursionError) as error:
        raise AwsError("SerializationException", f"The body is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise AwsError("SerializationException", "The body is not a JSON object")
    return content


def read_parameters(content: dict[str, Any], shape: Shape | None) -> tuple[dict[str, Any], list[Problem]]:
    """The parameters as far as they can be read, and what is wrong with the rest."""
    problems: list[Problem] = []
    if shape is None:
        return {}, [Problem(path=name, value=None, constraint="is not recognized", unknown=True) for name in content]
    return _structure(shape, content, "", problems), problems


def _structure(shape: Shape, content: dict[str, Any], path: str, problems: list[Problem]) -> dict[str, Any]:
    for name in content.keys() - shape.members.keys():
        problems.append(Problem(path=path + name, value=None, constraint="is not recognized", unknown=True))
    return {
        name: _value(member, content[name], path + name, problems)
        for name, member in shape.members.items()
        if content.get(name) is not None
    }


def _value(shape: Shape, content: Any, path: str, problems: list[Problem]) -> Any:
    fits = isinstance(content, _TYPES[shape.type_name])
    if not fits or (isinstance(content, bool) and shape.type_name != "boolean"):
        problems.append(Problem(path=path, value=str(content)[:100], constraint=f"Member must be a {shape.type_name}"))
        return None
    if shape.type_name == "structure":
        return _structure(shape, content, path + ".", problems)
    if shape.type_name == "list":
        return [_value(shape.member, item, f"{path}.{number}", problems) for number, item in enumerate(content, 1)]
    if shape.type_name == "map":
        return {key: _value(shape.value, item, f"{path}.{key}", problems) for key, item in content.items()}
    return _scalar(shape, content, path, problems)


def _scalar(shape: Shape, content: Any, path: str, problems: list[Problem]) -> Any:
    try:
        if shape.type_name == "timestamp":
            return datetime.fromtimestamp(content, UTC)
        if shape.type_name == "blob":
            return base64.b64decode(content, validate=True)
    except (ValueError, OverflowError, OSError, binascii.Error):
        constraint = f"Member must be a valid {shape.type_name}"
        problems.append(Problem(path=path, value=str(content)[:100], constraint=constraint))
        return None
    return content
