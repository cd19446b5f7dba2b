"""Form bodies, which the query and ec2 protocols have in common, read along the operation's input shape.

`Subnets.member.1=subnet-1` (query) and `SubnetId.1=subnet-1` (ec2) both become `{"SubnetIds": ["subnet-1"]}`-like
values.  Anything that does not fit the shape is a `Problem`; bytes that are no form at all are an `AwsError`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import Shape
from botocore.utils import parse_timestamp

from gatewatch.aws.error import AwsError
from gatewatch.aws.problem import Problem

#: Fields in one form, and dots in one name.
FIELDS_MAX = 5_000
DEPTH_MAX = 12

#: Fields that name the call instead of being parameters of it.
CALL_FIELDS = ("Action", "Version")

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
#: A list's place; Python refuses to read numbers of thousands of digits.
_PLACE = re.compile(r"[0-9]{1,19}")

_Tree = dict[str, Any]


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a form body; of a name given twice the last counts."""
    try:
        fields = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=FIELDS_MAX,
            errors="strict",
        )
    except ValueError as error:
        raise AwsError("MalformedQueryString", f"The body is not a form: {error}", 400) from error
    return dict(fields)


def read_parameters(
    fields: Mapping[str, str], shape: Shape | None, protocol: str
) -> tuple[dict[str, Any], list[Problem]]:
    """The parameters as far as they can be read, and what is wrong with the rest."""
    reader = _Reader(protocol)
    tree = _tree({name: value for name, value in fields.items() if name not in CALL_FIELDS})
    if shape is None:
        return {}, [_unknown(name) for name in tree]
    return reader.structure(shape, tree, ""), reader.problems


def _tree(fields: Mapping[str, str]) -> _Tree:
    root: _Tree = {}
    for name, value in fields.items():
        parts = name.split(".")
        if len(parts) > DEPTH_MAX:
            raise AwsError("MalformedQueryString", f"The parameter name {name[:100]} has too many parts", 400)
        branch = root
        for part in parts[:-1]:
            branch = branch.setdefault(part, {})
            if not isinstance(branch, dict):
                raise AwsError("MalformedQueryString", f"{name[:100]} is given both as a value and as a structure", 400)
        if isinstance(branch.get(parts[-1]), dict):
            raise AwsError("MalformedQueryString", f"{name[:100]} is given both as a value and as a structure", 400)
        branch[parts[-1]] = value
    return root


def _unknown(path: str) -> Problem:
    return Problem(path=path, value=None, constraint="is not recognized", unknown=True)


class _Reader:
    """Reads one request; collects what is wrong on the way."""

    def __init__(self, protocol: str) -> None:
        self._ec2 = protocol == "ec2"
        self.problems: list[Problem] = []

    def structure(self, shape: Shape, tree: _Tree, path: str) -> dict[str, Any]:
        names = {self._wire_name(member, name): name for name, member in shape.members.items()}
        values: dict[str, Any] = {}
        for wire_name, content in tree.items():
            name = names.get(wire_name)
            if name is None:
                self.problems.append(_unknown(path + wire_name))
            else:
                values[name] = self._value(shape.members[name], content, path + wire_name)
        # In the model's order, so that equal requests give equal records.
        return {name: values[name] for name in shape.members if name in values}

    def _wire_name(self, member: Shape, name: str) -> str:
        serialization = member.serialization
        if not self._ec2:
            if member.type_name == "list" and serialization.get("flattened"):
                return str(member.member.serialization.get("name", serialization.get("name", name)))
            return str(serialization.get("name", name))
        if "queryName" in serialization:
            return str(serialization["queryName"])
        given = str(serialization.get("name", name))
        return given[:1].upper() + given[1:]

    def _value(self, shape: Shape, content: str | _Tree, path: str) -> Any:
        if shape.type_name == "structure":
            return self.structure(shape, self._branch(content, path), path + ".")
        if shape.type_name == "list":
            return self._list(shape, content, path)
        if shape.type_name == "map":
            return self._map(shape, self._branch(content, path), path)
        if isinstance(content, dict):
            constraint = f"Member must be a {shape.type_name}"
            self.problems.append(Problem(path=path, value="a structure", constraint=constraint))
            return None
        return self._scalar(shape, content, path)

    def _branch(self, content: str | _Tree, path: str) -> _Tree:
        if isinstance(content, dict):
            return content
        if content:
            self.problems.append(Problem(path=path, value=content, constraint="Member must be a structure"))
        return {}

    def _list(self, shape: Shape, content: str | _Tree, path: str) -> list[Any]:
        items = self._branch(content, path)
        if not self._ec2 and not shape.serialization.get("flattened"):
            wrapper = str(shape.member.serialization.get("name", "member"))
            for name in items.keys() - {wrapper}:
                self.problems.append(_unknown(f"{path}.{name}"))
            items = self._branch(items.get(wrapper, {}), path)
        numbered: dict[int, Any] = {}
        for name, item in items.items():
            if _PLACE.fullmatch(name) and 0 < int(name) <= FIELDS_MAX:
                numbered[int(name)] = item
            else:
                self.problems.append(_unknown(f"{path}.{name}"))
        return [self._value(shape.member, numbered[number], f"{path}.{number}") for number in sorted(numbered)]

    def _map(self, shape: Shape, tree: _Tree, path: str) -> dict[str, Any]:
        entries = self._branch(tree.get("entry", tree), path)
        values: dict[str, Any] = {}
        for number, entry in entries.items():
            branch = self._branch(entry, path)
            values[str(branch.get("key", ""))] = self._value(shape.value, branch.get("value", ""), f"{path}.{number}")
        return values

    def _scalar(self, shape: Shape, text: str, path: str) -> Any:
        value = scalar_of_text(shape.type_name, text)
        if value is None:
            self.problems.append(Problem(path=path, value=text, constraint=f"Member must be a valid {shape.type_name}"))
        return value


def scalar_of_text(type_name: str, text: str) -> Any:
    """A value of one of the model's simple types, read from text; None if the text is none."""
    if type_name in ("string", "character"):
        return text
    if type_name == "boolean":
        return {"true": True, "false": False}.get(text.lower())
    try:
        if type_name in ("integer", "long"):
            return int(text) if _INTEGER.fullmatch(text) else None
        if type_name in ("float", "double"):
            return float(text)
        if type_name == "timestamp":
            moment: datetime = parse_timestamp(text)
            return moment
        return base64.b64decode(text, validate=True)
    except (ValueError, OverflowError, binascii.Error):
        return None
