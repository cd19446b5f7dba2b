"""Flow-log fields and formats (Amazon VPC User Guide, "Flow log records")."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.records.flow_log import (
    DEFAULT_FORMAT,
    FIELDS,
    GATEWATCH_FORMAT,
    counted_tcp_flags,
    fields_of,
    format_of,
    schema_of,
)


def test_the_default_format_is_the_guides() -> None:
    assert DEFAULT_FORMAT == (
        "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} "
        "${start} ${end} ${action} ${log-status}"
    )


def test_as_many_fields_as_each_version_brought() -> None:
    counts = {
        version: sum(1 for f in FIELDS.values() if 2 <= f.version <= version)
        for version in (2, 3, 4, 5, 7, 8, 9, 10, 11)
    }
    assert counts == {2: 14, 3: 21, 4: 25, 5: 29, 7: 39, 8: 40, 9: 41, 10: 42, 11: 54}


def test_own_fields_are_never_in_the_default_format() -> None:
    assert [name for name in FIELDS if name.startswith("gw-")] == [f.name for f in FIELDS.values() if f.version == 0]
    assert "gw-" not in DEFAULT_FORMAT
    assert GATEWATCH_FORMAT.endswith("${gw-endpoint-id} ${gw-target-id} ${gw-drop-reason} ${gw-az-id}")


@given(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, unique=True))
def test_a_format_is_read_as_it_was_written(names: list[str]) -> None:
    fields = fields_of(format_of(names))
    assert [field.name for field in fields] == names
    assert schema_of(fields).names == [name.replace("-", "_") for name in names]


@pytest.mark.parametrize(
    ("format_string", "message"),
    [
        ("", "separated by single spaces"),
        ("srcaddr dstaddr", "separated by single spaces"),
        ("${srcaddr},${dstaddr}", "separated by single spaces"),
        ("${srcaddr}  ${dstaddr}", "separated by single spaces"),
        ("${source}", "no flow-log field named 'source'"),
        ("${start} ${start}", "'start' is in the format twice"),
    ],
)
def test_a_wrong_format_says_what_is_wrong(format_string: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fields_of(format_string)


def test_numbers_are_numbers_in_parquet() -> None:
    schema = schema_of(fields_of("${srcport} ${bytes} ${srcaddr}"))
    assert schema.types == [pa.int32(), pa.int64(), pa.string()]


@pytest.mark.parametrize(
    ("header_flags", "counted"),
    [(0x02, 2), (0x12, 18), (0x10, 0), (0x18, 0), (0x11, 1), (0x04, 4), (0x14, 4), (0x13, 19), (0x00, 0), (0x20, 0)],
)
def test_only_fin_syn_rst_and_syn_ack_are_counted(header_flags: int, counted: int) -> None:
    assert counted_tcp_flags(header_flags) == counted
