"""Content that has types of its own (JSON, CBOR), read and written along shapes.  The protocols say how simple types are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.model import Shape

from gatewatch.aws.problem import Problem

#: Turns a simple value of a shape into what operations work with; `ValueError`, `OverflowError` or `OSError` if it is none.
Scalar = Callable[[Shape, Any], Any]
_CONTAINERS: dict[str, type] = {"structure": dict, "list": list, "map": dict}


class TypedReader:
    """Reads one request; `types` are the Python types that each simple type of the model comes as."""

    def __init__(self, types: Mapping[str, tuple[type, ...]], scalar: Scalar) -> None:
        self._types = types
        self._scalar = scalar
        self.problems: list[Problem] = []

    def read(self, content: Mapping[str, Any], shape: Shape | None) -> tuple[dict[str, Any], list[Problem]]:
        """The parameters as far as they can be read, and what is wrong with the rest."""
        if shape is None:
            return {}, [_unknown(str(name)) for name in content]
        return self._structure(shape, content, ""), self.problems

    def _structure(self, shape: Shape, content: Mapping[str, Any], path: str) -> dict[str, Any]:
        self.problems += [_unknown(f"{path}{name}") for name in content if name not in shape.members]
        return {
            name: self._value(member, content[name], path + name)
            for name, member in shape.members.items() if content.get(name) is not None
        }

    def _value(self, shape: Shape, content: Any, path: str) -> Any:
        kind = shape.type_name
        fits = isinstance(content, _CONTAINERS[kind] if kind in _CONTAINERS else self._types[kind])
        if not fits or (isinstance(content, bool) and kind != "boolean"):
            self._wrong(path, content, f"Member must be a {kind}")
            return None
        if kind == "structure":
            return self._structure(shape, content, path + ".")
        if kind == "list":
            return [self._value(shape.member, item, f"{path}.{number}") for number, item in enumerate(content, 1)]
        if kind == "map":
            return {str(key): self._value(shape.value, item, f"{path}.{key}") for key, item in content.items()}
        try:
            return self._scalar(shape, content)
        except (ValueError, OverflowError, OSError):
            self._wrong(path, content, f"Member must be a valid {kind}")
            return None

    def _wrong(self, path: str, content: Any, constraint: str) -> None:
        self.problems.append(Problem(path=path, value=str(content)[:100], constraint=constraint))


def write_typed(shape: Shape, value: Any, scalar: Callable[[Any], Any]) -> Any:
    """A value with its containers, as `scalar` writes what is in them; members that are None are left out."""
    if shape.type_name == "structure":
        strangers = value.keys() - shape.members.keys()
        assert not strangers, f"{shape.name} has no members {sorted(strangers)}"
        return {name: write_typed(shape.members[name], item, scalar) for name, item in value.items() if item is not None}
    if shape.type_name == "list":
        return [write_typed(shape.member, item, scalar) for item in value]
    if shape.type_name == "map":
        return {key: write_typed(shape.value, item, scalar) for key, item in value.items()}
    return scalar(value)


def _unknown(path: str) -> Problem:
    return Problem(path=path, value=None, constraint="is not recognized", unknown=True)
