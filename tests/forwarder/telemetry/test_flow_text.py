"""Tables become lines, lines become messages."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from forwarder.telemetry.flow_text import SCHEMA, flow_drafts, flow_lines
from gatewatch.records.flow_log import GATEWATCH_FORMAT


@pytest.fixture
def records() -> Any:
    rows = [{"version": 5, "srcaddr": "x" * length, "packets": length} for length in (7, 30, 3, 90, 15, 1)]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def test_a_line_has_every_field_and_a_hyphen_for_none(records: Any) -> None:
    for line in flow_lines(records).decode().splitlines():
        values = dict(zip(SCHEMA.names, line.split(" "), strict=True))
        assert values["version"] == "5"
        assert values["dstaddr"] == "-"


@pytest.mark.parametrize("bytes_max", [155, 200, 300, 65_536])
def test_messages_are_whole_lines_and_never_too_long(records: Any, bytes_max: int) -> None:
    lines = flow_lines(records).splitlines()
    drafts = list(flow_drafts("eni-1", records, bytes_max))
    assert [line for draft in drafts for line in draft.value.split(b"\n")] == lines
    assert all(len(draft.value) <= bytes_max for draft in drafts)
    assert sum(draft.records for draft in drafts) == len(lines)
    assert {draft.key for draft in drafts} == {"eni-1"}
    assert {draft.headers["format"] for draft in drafts} == {GATEWATCH_FORMAT}


@pytest.mark.parametrize("pieces", [(0, 6), (0, 0, 6), (2, 0, 4), (0, 1, 0, 5, 0), (1, 1, 4)])
def test_the_pieces_a_table_is_made_of_do_not_show(records: Any, pieces: tuple[int, ...]) -> None:
    starts = [sum(pieces[:place]) for place in range(len(pieces))]
    parts = [records.slice(start, count) for start, count in zip(starts, pieces, strict=True)]
    assert flow_lines(pa.concat_tables(parts)) == flow_lines(records)


def test_a_line_of_exactly_the_limit_fits_and_one_longer_is_refused(records: Any) -> None:
    longest = max(map(len, flow_lines(records).splitlines()))
    assert list(flow_drafts("eni-1", records, longest))
    with pytest.raises(ValueError, match="longer than a message"):
        list(flow_drafts("eni-1", records, longest - 1))


def test_no_records_give_no_message() -> None:
    assert list(flow_drafts("eni-1", SCHEMA.empty_table(), 1024)) == []


def test_a_value_with_a_space_would_break_the_line_and_is_refused() -> None:
    table = pa.Table.from_pylist([{"srcaddr": "a b"}], schema=SCHEMA)
    with pytest.raises(pa.ArrowInvalid):
        flow_lines(table)
