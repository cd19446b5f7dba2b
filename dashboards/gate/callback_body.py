"""The body of a request to Dash's callbacks: whether one of our pages could have sent it.

Dash's own server looks up, indexes and calls with what it finds, so that a body of another shape ends in whatever error
comes first.  Here it is compared with the callback it names: the same outputs, the same inputs and states in their
order, values of the types their controls hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from dash import Dash
from dash._utils import split_callback_id, stringify_id
from msgspec import Meta

from dashboards.gate import control_values
from dashboards.gate.refused import Refused

#: Most properties in one list; a page has a dozen controls.
PROPERTIES_MAX = 200


class Property(msgspec.Struct, omit_defaults=True):
    """A component's property, with its value where the browser has one."""

    id: str | dict[str, str]
    name: str = msgspec.field(name="property")
    value: Any = None

    @property
    def component(self) -> str:
        """The id as Dash writes it in names."""
        component: str = stringify_id(self.id)
        return component


Properties = Annotated[list[Property], Meta(max_length=PROPERTIES_MAX)]
Slots = Annotated[list[Property | Properties], Meta(max_length=PROPERTIES_MAX)]


class CallbackBody(msgspec.Struct, omit_defaults=True):
    """What Dash's renderer sends, as far as Dash's server reads it."""

    output: str
    outputs: Property | Slots
    inputs: Slots
    changed: Annotated[list[str], Meta(max_length=PROPERTIES_MAX)] = msgspec.field(name="changedPropIds")
    state: Slots = msgspec.field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a callback's signature: a component's property, or that of all components whose id has these parts."""

    component: str
    name: str
    #: The parts of an id with a wildcard, None standing for any text; empty for one component.
    parts: Mapping[str, str | None]

    @property
    def control(self) -> str:
        """How `control_values.TYPES` calls it."""
        kind = msgspec.json.decode(self.component)["type"] if self.component.startswith("{") else None
        return f"*{kind}.{self.name}" if kind else f"{self.component}.{self.name}"

    def takes(self, given: Property) -> bool:
        """Whether a property belongs here."""
        if given.name != self.name:
            return False
        if not self.parts:
            return bool(given.component == self.component)
        return isinstance(given.id, dict) and given.id.keys() == self.parts.keys() and all(
            part is None or part == given.id[key] for key, part in self.parts.items())


@dataclass(frozen=True, slots=True)
class Signature:
    """A callback as it was registered."""

    outputs: tuple[Slot, ...]
    multiple: bool
    inputs: tuple[Slot, ...]
    states: tuple[Slot, ...]


def signatures_of(app: Dash) -> dict[str, Signature]:
    """The callbacks that run here, by their output; those that run in the browser are none."""
    return {
        output: _signature(output, entry) for output, entry in app.callback_map.items() if "callback" in entry
    }


def checked(text: bytes, signatures: Mapping[str, Signature]) -> bytes:
    """The body, with nothing in it that Dash does not need; `Refused` says what is wrong with it."""
    try:
        body = msgspec.json.decode(text, type=CallbackBody)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _refused(f"no callback's body: {error}") from None
    signature = signatures.get(body.output)
    if signature is None:
        raise _refused("there is no such callback")
    _check_outputs(body, signature)
    _take_values("input", body.inputs, signature.inputs)
    _take_values("state", body.state, signature.states)
    _check_changed(body, signature)
    return msgspec.json.encode(body)


def _signature(output: str, entry: Mapping[str, Any]) -> Signature:
    split = split_callback_id(output)
    outputs = split if isinstance(split, list) else [split]
    return Signature(_slots(outputs), isinstance(split, list), _slots(entry["inputs"]), _slots(entry["state"]))


def _slots(properties: Sequence[Mapping[str, str]]) -> tuple[Slot, ...]:
    return tuple(Slot(each["id"], each["property"], _parts(each["id"])) for each in properties)


def _parts(component: str) -> dict[str, str | None]:
    """The parts of an id that has a wildcard, which Dash writes as a list of its name."""
    if not component.startswith("{"):
        return {}
    parts = msgspec.json.decode(component, type=dict[str, str | list[str]])
    if not any(isinstance(part, list) for part in parts.values()):
        return {}
    return {key: part if isinstance(part, str) else None for key, part in parts.items()}


def _check_outputs(body: CallbackBody, signature: Signature) -> None:
    given = body.outputs if isinstance(body.outputs, list) else [body.outputs]
    if isinstance(body.outputs, list) != signature.multiple or len(given) != len(signature.outputs) or not all(
        isinstance(each, Property) and slot.takes(each) for each, slot in zip(given, signature.outputs, strict=True)
    ):
        raise _refused("the outputs are not the callback's")


def _take_values(what: str, given: Sequence[Property | list[Property]], slots: Sequence[Slot]) -> None:
    if len(given) != len(slots):
        raise _refused(f"the callback has {len(slots)} of {what}, not {len(given)}")
    for each, slot in zip(given, slots, strict=True):
        if isinstance(each, list) != bool(slot.parts):
            raise _refused(f"{what} {slot.component}.{slot.name} is another thing")
        for value in each if isinstance(each, list) else [each]:
            if not slot.takes(value):
                raise _refused(f"{what} {slot.component}.{slot.name} is another thing")
            try:
                value.value = control_values.taken(slot.control, value.value)
            except msgspec.ValidationError as error:
                raise _refused(f"{what} {slot.component}.{slot.name}: {error}") from None


def _check_changed(body: CallbackBody, signature: Signature) -> None:
    """What changed is among the inputs: Dash takes the name apart again, as JSON where it begins like it."""
    names = {f"{each.component}.{each.name}" for each in _flat(body.inputs)}
    for name in body.changed:
        if name not in names and not any(_may_have_gone(name, slot) for slot in signature.inputs):
            raise _refused(f"{name[:100]!r} is no input of the callback")


def _may_have_gone(name: str, slot: Slot) -> bool:
    """Whether a name is that of a control which left the page just now: only such as a wildcard stands for do so."""
    component, _, prop = name.rpartition(".")
    try:
        identity = msgspec.json.decode(component, type=dict[str, str])
    except (msgspec.MsgspecError, UnicodeError):
        return False
    return bool(slot.parts) and slot.takes(Property(id=identity, name=prop))


def _flat(given: Sequence[Property | list[Property]]) -> Iterator[Property]:
    for each in given:
        yield from each if isinstance(each, list) else [each]


def _refused(detail: str) -> Refused:
    return Refused(status=400, reason="body", detail=detail)
