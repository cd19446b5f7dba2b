"""Whether values are in their field's domain: of whole columns, and of one value with the reason.

Both ways decide alike.  A column is looked at by its bounds, or where it is text by its dictionary, so that it costs little
beside reading it; the domains are those of `gatewatch.records.flow_log`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from gatewatch.records.address import is_address
from gatewatch.records.flow_log import TIMES, Field

_NUMBER = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#: Nearly all addresses are IPv4, which pyarrow tells at once; the others are looked at one by one.
_IPV4 = rf"\A{_NUMBER}[.]{_NUMBER}[.]{_NUMBER}[.]{_NUMBER}\z"
_END_BEFORE_START = "end is before start"


def all_within(fields: Sequence[Field], table: pa.Table) -> bool:
    """Whether every value of the table is in its field's domain, and no record ends before it starts."""
    return (
        all(_within(field, table.column(field.column)) for field in fields if not field.address)
        and _are_addresses([table.column(field.column) for field in fields if field.address])
        and _in_order(table)
    )


def reason_for(field: Field, value: str | int) -> str | None:
    """Why a value (text, or for a number the number) is outside its field's domain; None when it is inside."""
    if isinstance(value, int):
        inside = (field.least is None or value >= field.least) and (field.most is None or value <= field.most)
    else:
        inside = (not field.values or value in field.values) and (not field.address or is_address(value))
    return None if inside else f"{field.name} is not {field.domain}"


def reason_for_times(times: Mapping[str, int]) -> str | None:
    """Why a record's times (by field name) cannot be; None when they can."""
    start_s, end_s = (times.get(name) for name in TIMES)
    return _END_BEFORE_START if start_s is not None and end_s is not None and end_s < start_s else None


def _within(field: Field, column: pa.ChunkedArray) -> bool:
    if field.least is not None or field.most is not None:
        bounds = pc.min_max(column).as_py()
        return bounds["min"] is None or (
            (field.least is None or bounds["min"] >= field.least) and (field.most is None or bounds["max"] <= field.most)
        )
    if field.values:
        return all(set(chunk.dictionary.to_pylist()) <= set(field.values) for chunk in column.chunks)
    return True


def _are_addresses(columns: Sequence[pa.ChunkedArray]) -> bool:
    looked_at: list[pa.StringArray] = []
    for texts in (chunk.dictionary for column in columns for chunk in column.chunks):
        # A packet's addresses are mostly those of its record: comparing costs a twentieth of looking.
        if any(texts.equals(others) for others in looked_at):
            continue
        unlike_ipv4 = texts.filter(pc.invert(pc.match_substring_regex(texts, _IPV4)))
        if not all(map(is_address, unlike_ipv4.to_pylist())):
            return False
        looked_at.append(texts)
    return True


def _in_order(table: pa.Table) -> bool:
    if not set(TIMES) <= set(table.column_names):
        return True
    start, end = (table.column(name) for name in TIMES)
    return pc.any(pc.less(end, start)).as_py() is not True
