from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboards.app import make_app
from dashboards.console import Console
from dashboards.gate.callback_body import Signature, checked, signatures_of
from dashboards.gate.refused import Refused
from tests.dashboards.gate.bodies import FRAME, twisted, well_formed

#: The callback of the page's controls, shortened: `{name}` stands for every filter there is.
CHANGE = "..state.data@"


@pytest.fixture
def signatures(console: Console) -> dict[str, Signature]:
    """The callbacks of the console."""
    return signatures_of(make_app(console))


def taken(body: Any, signatures: dict[str, Signature]) -> dict[str, Any]:
    """The body that Dash gets."""
    result: dict[str, Any] = json.loads(checked(json.dumps(body).encode(), signatures))
    return result


def test_what_chromium_sends_is_taken_as_it_is(signatures: dict[str, Signature]) -> None:
    wanted = {key: value for key, value in FRAME.items() if key != "parsedChangedPropsIds"}
    assert taken(FRAME, signatures) == wanted


def test_callbacks_of_the_browsers_side_are_none(signatures: dict[str, Signature]) -> None:
    assert FRAME["output"] in signatures
    assert "wish.data" not in signatures


def controls(signatures: dict[str, Signature], filters: list[tuple[str, Any]], changed: list[str]) -> dict[str, Any]:
    output = next(name for name in signatures if name.startswith(CHANGE))
    signature = signatures[output]
    return {
        "output": output, "outputs": [{"id": slot.component, "property": slot.name} for slot in signature.outputs],
        "inputs": [*({"id": slot.component, "property": slot.name} for slot in signature.inputs[:-1]), [
            {"id": {"type": "value", "name": name}, "property": "value", "value": value} for name, value in filters]],
        "state": [{"id": slot.component, "property": slot.name} for slot in signature.states], "changedPropIds": changed,
    }


def test_filters_are_as_many_as_the_page_has(signatures: dict[str, Signature]) -> None:
    for filters in ([], [("lb", "x")], [("lb", None), ("by", ""), ("flow_page", 2)]):
        assert taken(controls(signatures, filters, []), signatures)["inputs"][-1:] is not None


def test_what_changed_may_have_left_the_page_since(signatures: dict[str, Signature]) -> None:
    gone = '{"name":"lb","type":"value"}.value'
    assert taken(controls(signatures, [], [gone, "range.value"]), signatures)["changedPropIds"] == [gone, "range.value"]


@pytest.mark.parametrize("changed", [
    '{"name":"lb","type":"chart"}.value', '{"name":"lb"}.value', '{"name":"lb","type":"value"}.data', '{"name":7,"type":"value"}.value',
    "{.value", "value", "state.data", "", "\x00", "[" * 500 + ".value",
])
def test_any_other_change_is_none(signatures: dict[str, Signature], changed: str) -> None:
    with pytest.raises(Refused):
        taken(controls(signatures, [], [changed]), signatures)


@pytest.mark.parametrize("text", [
    b"", b"\xff", b"[" * 100_000, b'{"output": ' * 5_000, b"1" + b"0" * 5_000, b'"\xed\xa0\x80"', json.dumps(FRAME).encode("utf-16"),
])
def test_what_is_no_json_of_ours_is_refused(signatures: dict[str, Signature], text: bytes) -> None:
    with pytest.raises(Refused) as refused:
        checked(text, signatures)
    assert refused.value.status == 400


def test_too_many_of_anything_is_refused(signatures: dict[str, Signature]) -> None:
    for body in (controls(signatures, [("lb", "")] * 201, []), {**FRAME, "changedPropIds": ["state.data"] * 201}):
        with pytest.raises(Refused):
            taken(body, signatures)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_a_body_is_refused_or_has_the_callbacks_own_shape(signatures: dict[str, Signature], data: st.DataObject) -> None:
    body = data.draw(twisted(signatures))
    try:
        result = taken(body, signatures)
    except Refused:
        return
    signature = signatures[result["output"]]
    assert (len(result["inputs"]), len(result.get("state", []))) == (len(signature.inputs), len(signature.states))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_a_well_formed_body_is_never_refused(signatures: dict[str, Signature], data: st.DataObject) -> None:
    taken(data.draw(well_formed(signatures)), signatures)
