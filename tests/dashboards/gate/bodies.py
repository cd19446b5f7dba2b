"""Bodies of callbacks as a browser sends them, and strategies for such as it never would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from dash._utils import split_callback_id
from hypothesis import strategies as st

from dashboards.gate.callback_body import Signature, Slot

#: The frame's own callback, as Chromium sent it.
FRAME: dict[str, Any] = {
    "output": "..served.data...alarm-summary.children...lateness.children..",
    "outputs": [{"id": "served", "property": "data"}, {"id": "alarm-summary", "property": "children"},
                {"id": "lateness", "property": "children"}],
    "inputs": [{"id": "state", "property": "data", "value": "/?refresh=10s"}, {"id": "tick", "property": "data"},
               {"id": "theme", "property": "data", "value": "light"}, {"id": "zone", "property": "data", "value": "UTC"}],
    "changedPropIds": ["state.data", "theme.data", "zone.data"],
    "parsedChangedPropsIds": ["state.data", "theme.data", "zone.data"],
}

_TEXT = st.text(max_size=30) | st.sampled_from([
    "/", "/flows?port=443", "/flows?range=2026-11-23T10:00:00Z/2026-11-23T11:00:00Z", "/audit?text=%00", "/sql?saved=nothing",
    "/alarms?alarm=x", "/targets?clock=local", "?", "light", "Asia/Tokyo", "1h", "local", "off", "0001-01-01", "9999-12-31 23:59:59",
    "9999-12-31T23:59:59+00:00", "1e9", "relative", "absolute", "d", "dark", "..", "top_talkers", "{}", "\x00", "-1", "nan",
])
_MOMENT = _TEXT | st.datetimes().map(str)
_COUNT = st.none() | st.integers(0, 2**53)
#: What a property of each control holds at best, by `control_values.TYPES`' names; any other holds a text.
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "tick.data": _COUNT, "custom-button.n_clicks": _COUNT, "custom-apply.n_clicks": _COUNT,
    # A click would run a statement; the sandbox is another test's.
    "sql-run.n_clicks": st.sampled_from([None, 0]),
    "zoom.data": st.none() | st.fixed_dictionaries({"from": _MOMENT, "to": _MOMENT, "at": st.integers()}),
    "custom.data": st.none() | st.fixed_dictionaries({"range": _TEXT, "click": _COUNT}),
    "custom-number.value": st.none() | _TEXT | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    "custom-start.value": _MOMENT, "custom-end.value": _MOMENT,
    "audit-grid.selectedRows": st.none() | st.lists(
        st.fixed_dictionaries({"name": _TEXT, "time_text": _TEXT, "record": _TEXT}), max_size=2),
    "audit-drawer.opened": st.none() | st.booleans(),
    "*value.value": st.none() | _TEXT | st.integers(0, 2**53),
}
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3), max_leaves=6,
)


@st.composite
def well_formed(draw: st.DrawFn, signatures: Mapping[str, Signature]) -> dict[str, Any]:
    """A body of any callback whose values have their controls' types, and say anything."""
    output = draw(st.sampled_from(sorted(signatures)))
    signature = signatures[output]
    inputs = [draw(_filled(slot)) for slot in signature.inputs]
    split = split_callback_id(output)
    body = {
        "output": output,
        "outputs": [_identified(each["id"], each["property"]) for each in split] if isinstance(split, list) else split,
        "inputs": inputs, "changedPropIds": draw(st.lists(st.sampled_from(_names(inputs) or ["none"]), max_size=3)),
    }
    if not _names(inputs):
        body["changedPropIds"] = []
    if signature.states:
        body["state"] = [draw(_filled(slot)) for slot in signature.states]
    return body


@st.composite
def twisted(draw: st.DrawFn, signatures: Mapping[str, Signature]) -> Any:
    """Such a body with one thing in it replaced by anything, or taken out."""
    body = draw(well_formed(signatures))
    at: Any = body
    while True:
        keys = sorted(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            return body
        key = draw(st.sampled_from(keys))
        if isinstance(at[key], dict | list) and at[key] and draw(st.booleans()):
            at = at[key]
            continue
        if draw(st.booleans()):
            at[key] = draw(JSON)
        else:
            del at[key]
        return body


@st.composite
def _filled(draw: st.DrawFn, slot: Slot) -> Any:
    values = _VALUES.get(slot.control, st.none() | _TEXT)
    if not slot.parts:
        return {**_identified(slot.component, slot.name), "value": draw(values)}
    names = draw(st.lists(st.sampled_from(["lb", "by", "port", "address", "flow_page", "text", "query", "nobody"]), max_size=3))
    return [{"id": {"name": name, "type": slot.parts["type"]}, "property": slot.name, "value": draw(values)} for name in names]


def _identified(component: str, name: str) -> dict[str, Any]:
    return {"id": msgspec.json.decode(component) if component.startswith("{") else component, "property": name}


def _names(inputs: list[Any]) -> list[str]:
    flat = [each for given in inputs for each in (given if isinstance(given, list) else [given])]
    return [f"{_component(each['id'])}.{each['property']}" for each in flat]


def _component(identity: Any) -> str:
    return identity if isinstance(identity, str) else msgspec.json.encode(identity, order="sorted").decode()
