from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dashboards.app import make_app
from dashboards.console import Console
from dashboards.gate import control_values
from dashboards.gate.callback_body import signatures_of


def test_every_property_that_a_callback_reads_has_a_type_and_no_other(console: Console) -> None:
    signatures = signatures_of(make_app(console)).values()
    read = {slot.control for signature in signatures for slot in (*signature.inputs, *signature.states)}
    assert read == set(control_values.TYPES)


@pytest.mark.parametrize("name", sorted(control_values.TYPES))
def test_every_control_may_be_empty(name: str) -> None:
    assert control_values.taken(name, None) is None


@pytest.mark.parametrize(("name", "value"), [
    ("state.data", 7), ("state.data", ["/"]), ("theme.data", {}), ("tick.data", "now"), ("tick.data", -1), ("tick.data", 1e300),
    ("tick.data", 2**70), ("zoom.data", {}), ("zoom.data", {"from": 1, "to": 2}), ("zoom.data", {"from": "x" * 101, "to": ""}),
    ("custom.data", {"range": None}), ("sql-run.n_clicks", True), ("sql-text.value", 5), ("audit-grid.selectedRows", [{}]),
    ("audit-grid.selectedRows", {"ids": []}), ("audit-drawer.opened", "yes"), ("*value.value", []), ("*value.value", 1.5),
])
def test_what_no_control_holds_is_named(name: str, value: Any) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"Expected|Object missing"):
        control_values.taken(name, value)


def test_of_a_row_only_what_is_shown_is_taken() -> None:
    row = {"name": "CreateListener", "time_text": "10:00:00", "record": "{}", "user": "alice"}
    taken = control_values.taken("audit-grid.selectedRows", [row])
    assert msgspec.to_builtins(taken) == [{key: row[key] for key in ("name", "time_text", "record")}]
