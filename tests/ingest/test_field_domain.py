"""Domains of flow-log fields, of columns and of single values; what decides on whole lines is in test_flow_log_decode."""

from __future__ import annotations

import pyarrow as pa
import pytest

from gatewatch.records.flow_log import FIELDS
from ingest.field_domain import all_within, reason_for, reason_for_times


def table(**columns: list[object]) -> pa.Table:
    made = {}
    for name, values in columns.items():
        array = pa.array(values)
        made[name] = array.dictionary_encode() if pa.types.is_string(array.type) else array
    return pa.table(made)


def test_a_column_of_nothing_is_within() -> None:
    fields = [FIELDS["srcport"], FIELDS["srcaddr"], FIELDS["action"]]
    assert all_within(fields, table(srcport=[1], srcaddr=["::"], action=["ACCEPT"]).slice(0, 0))
    assert all_within(fields, pa.table({
        "srcport": pa.nulls(2, pa.int32()), "srcaddr": pa.nulls(2, pa.string()).dictionary_encode(),
        "action": pa.nulls(2, pa.string()).dictionary_encode(),
    }))


def test_addresses_of_every_chunk_and_column_are_looked_at() -> None:
    fields = [FIELDS["srcaddr"], FIELDS["pkt-srcaddr"]]
    good = table(srcaddr=["10.0.0.1"], pkt_srcaddr=["10.0.0.1"])
    assert all_within(fields, pa.concat_tables([good, good]))
    for bad in (table(srcaddr=["10.0.0.1"], pkt_srcaddr=["x"]), table(srcaddr=["x"], pkt_srcaddr=["10.0.0.1"])):
        assert not all_within(fields, pa.concat_tables([good, bad]))
        assert not all_within(fields, pa.concat_tables([bad, good]))


@pytest.mark.parametrize(("times", "reason"), [
    ({}, None), ({"start": 5}, None), ({"start": 5, "end": 5}, None), ({"start": 6, "end": 5}, "end is before start"),
])
def test_no_record_ends_before_it_starts(times: dict[str, int], reason: str | None) -> None:
    assert reason_for_times(times) == reason


def test_what_is_named_when_a_value_is_outside() -> None:
    assert reason_for(FIELDS["action"], "accept") == "action is not ACCEPT or REJECT"
    assert reason_for(FIELDS["bytes"], -40) == "bytes is not 0 or more"
    assert reason_for(FIELDS["vpc-id"], "anything") is None
