"""What a page's controls can hold: the type of each property that a callback reads.

A callback takes what it is given for what its own controls would send; this is where that becomes true.  A control of
one page (`{"type": "value", "name": ...}`) is named `*value`.  What a text says is the callbacks' own to check.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

#: What JavaScript counts exactly.
Count = Annotated[int, Meta(ge=0, le=2**53)]
Text = str | None


class Drag(msgspec.Struct):
    """A range dragged in a chart: the axis's values, and when (`zoom` of `assets/console.js`)."""

    from_: Annotated[str, Meta(max_length=100)] = msgspec.field(name="from")
    to: Annotated[str, Meta(max_length=100)]


class CustomRange(msgspec.Struct):
    """What the popover for a custom range hands on."""

    range: Annotated[str, Meta(max_length=100)]
    click: Count | None = None


class Event(msgspec.Struct):
    """What is read of a chosen row of the audit table."""

    name: str
    time_text: str
    record: str


TYPES: dict[str, Any] = {
    "url.pathname": Text, "url.search": Text,
    "state.data": Text, "theme.data": Text, "zone.data": Text, "wish.data": Text,
    "tick.data": Count | None,
    "zoom.data": Drag | None, "custom.data": CustomRange | None,
    "range.value": Text, "clock.value": Text, "refresh.value": Text,
    "custom-button.n_clicks": Count | None, "custom-apply.n_clicks": Count | None, "sql-run.n_clicks": Count | None,
    # A field for a number is empty, or holds what was typed so far.
    "custom-kind.value": Text, "custom-unit.value": Text, "custom-number.value": str | int | float | None,
    "custom-start.value": Text, "custom-end.value": Text,
    "sql-text.value": Text,
    "audit-grid.selectedRows": list[Event] | None, "audit-drawer.opened": bool | None,
    # Filters hold texts, the pages of a list their number.
    "*value.value": str | Count | None,
}


def taken(name: str, value: Any) -> Any:
    """A property's value with what its callback reads of it; `msgspec.ValidationError` where no control holds such."""
    return msgspec.convert(value, TYPES[name])
