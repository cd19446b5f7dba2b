"""The columns of a closed window."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from forwarder.capture.window import ACCEPTED_FLOWS, REJECTED_FLOWS, CapturedWindow

ROW: dict[str, Any] = {column.name: "x" if column.type == pa.string() else 1 for column in REJECTED_FLOWS}


def window(rejected: dict[str, list[Any]]) -> CapturedWindow:
    nothing: dict[str, list[Any]] = {name: [] for name in ACCEPTED_FLOWS.names}
    return CapturedWindow(started_s=0.0, ended_s=1.0, endpoints={}, skipped={}, accepted=lambda: nothing, rejected=lambda: rejected)


def test_columns_are_made_once_and_have_the_schema() -> None:
    made = window({name: [value] for name, value in ROW.items()})
    assert made.rejected is made.rejected
    assert made.rejected.to_pylist() == [ROW]
    assert (made.rejected.schema, made.accepted.schema) == (REJECTED_FLOWS, ACCEPTED_FLOWS)


def test_a_column_that_is_missing_or_does_not_fit_is_an_error() -> None:
    with pytest.raises((KeyError, pa.ArrowInvalid, ValueError)):
        _ = window({name: [value] for name, value in ROW.items() if name != "bytes"}).rejected
    with pytest.raises((pa.ArrowInvalid, OverflowError)):
        _ = window({name: [-1 if name == "source_port" else value] for name, value in ROW.items()}).rejected


def test_a_window_does_not_end_before_it_began() -> None:
    with pytest.raises(AssertionError):
        CapturedWindow(started_s=2.0, ended_s=1.0, endpoints={}, skipped={}, accepted=dict, rejected=dict)


def test_every_column_says_what_it_is() -> None:
    for schema in (ACCEPTED_FLOWS, REJECTED_FLOWS):
        assert all(field.metadata[b"meaning"] and not field.nullable for field in schema)
