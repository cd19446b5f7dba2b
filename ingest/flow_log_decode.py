"""Flow-log messages to Arrow: joined bodies through pyarrow's CSV reader, and a line at a time where that refuses.

Invariant: which lines become rows depends on the line and its format alone, never on its neighbours.  The fast path is
therefore taken only where pyarrow's reader and the rule below cannot differ: bodies with something pyarrow reads more
generously (tabs around numbers, hexadecimal, empty text) go the slow way, which sorts the lines by the rule and converts
the good ones with the same reader.  The rule: as many fields as the format has, none empty, integers of digits (a minus may
lead) that fit the column, text in UTF-8, every value in its field's domain (`field_domain`) or `-` for what does not apply, and
no end before the start; lines end with LF, CRLF or CR, empty lines are nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from gatewatch.records.flow_log import TIMES, Field, fields_of, schema_of
from ingest.field_domain import all_within, reason_for, reason_for_times

_BLOCK_BYTES = 4 << 20
_INTEGER = re.compile(rb"-?[0-9]+")
_INTEGER_LIMITS = {"int32": 1 << 31, "int64": 1 << 63}
_DICTIONARY = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that is not a record: which message (index among those given), which line (from 1), why, and its bytes."""

    message: int
    line: int
    reason: str
    record: bytes


def decode(format_string: str, bodies: Sequence[bytes]) -> tuple[pa.Table | None, list[BadLine]]:
    """Rows of the bodies, columns as in the format (text as dictionaries), in order; and the lines that are no rows.

    None instead of a table without rows.
    """
    try:
        fields = fields_of(format_string)
    except ValueError as error:
        return None, _reject_all(bodies, f"format: {error}")
    tables: list[pa.Table] = []
    bad: list[BadLine] = []
    _decode_range(fields, bodies, 0, len(bodies), tables, bad)
    return (pa.concat_tables(tables) if tables else None), bad


def _decode_range(
    fields: Sequence[Field], bodies: Sequence[bytes], first: int, last: int, tables: list[pa.Table], bad: list[BadLine]
) -> None:
    """Read bodies[first:last] at once, or halve until the messages that need the slow way stand alone."""
    table = read_fast(fields, bodies[first:last])
    if table is not None:
        if table.num_rows:
            tables.append(table)
    elif last - first > 1:
        middle = (first + last) // 2
        _decode_range(fields, bodies, first, middle, tables, bad)
        _decode_range(fields, bodies, middle, last, tables, bad)
    else:
        table, reasons = read_slowly(fields, bodies[first])
        if table.num_rows:
            tables.append(table)
        bad.extend(BadLine(message=first, line=line, reason=reason, record=record) for line, reason, record in reasons)


def read_fast(fields: Sequence[Field], bodies: Sequence[bytes]) -> pa.Table | None:
    """All bodies in one go, or None when a line of theirs may not be a record."""
    # The leading newline keeps a byte order mark from being skipped at the start of some bodies and not of others.
    text = b"\n".join([b"", *bodies, b""])
    if _has_generous_numbers(text):
        return None
    try:
        table = _convert(fields, text, max(map(len, bodies), default=0))
    except pa.ArrowInvalid:
        return None
    return table if not any(map(_has_empty_text, table.columns)) and all_within(fields, table) else None


def _has_generous_numbers(text: bytes) -> bool:
    # One byte is looked for ten times as fast as two, and an x is rare in a flow log.
    return b"\t" in text or (b"x" in text and b"0x" in text) or (b"X" in text and b"0X" in text)


def _has_empty_text(column: pa.ChunkedArray) -> bool:
    if not pa.types.is_dictionary(column.type):
        return False
    return any(pc.index(chunk.dictionary, "").as_py() >= 0 for chunk in column.chunks)


def read_slowly(fields: Sequence[Field], body: bytes) -> tuple[pa.Table, list[tuple[int, str, bytes]]]:
    """One body line by line: the rows, and (line, reason, bytes) of each line that is not one."""
    good: list[bytes] = []
    bad: list[tuple[int, str, bytes]] = []
    for number, line in enumerate(body.splitlines(), 1):
        if not line:
            continue
        reason = reason_against(fields, line)
        if reason is None:
            good.append(line)
        else:
            bad.append((number, reason, line))
    return _convert(fields, b"\n".join([b"", *good, b""]), len(body)), bad


def reason_against(fields: Sequence[Field], line: bytes) -> str | None:
    """Why a line is not a record of this format; None when it is one."""
    values = line.split(b" ")
    if len(values) != len(fields):
        return f"{len(values)} fields where the format has {len(fields)}"
    times: dict[str, int] = {}
    for field, value in zip(fields, values, strict=True):
        if value == b"-":
            continue
        reason = _reason_against_field(field, value)
        if reason is not None:
            return reason
        if field.name in TIMES:
            times[field.name] = _integer(value)
    return reason_for_times(times)


def _reason_against_field(field: Field, value: bytes) -> str | None:
    if not value:
        return f"{field.name} is empty"
    if field.type == "string":
        try:
            return reason_for(field, value.decode())
        except UnicodeDecodeError:
            return f"{field.name} is not UTF-8"
    if _INTEGER.fullmatch(value) is None:
        return f"{field.name} is not an integer"
    if not _fits(value, _INTEGER_LIMITS[field.type]):
        return f"{field.name} does not fit {field.type}"
    return reason_for(field, _integer(value))


def _fits(value: bytes, limit: int) -> bool:
    # Twenty digits are beyond any column; Python itself refuses to read thousands of them.
    return len(value.lstrip(b"-").lstrip(b"0")) < 20 and -limit <= _integer(value) < limit


def _integer(value: bytes) -> int:
    """Of digits with any number of zeros before them."""
    digits = value.lstrip(b"-").lstrip(b"0") or b"0"
    return -int(digits) if value.startswith(b"-") else int(digits)


def _convert(fields: Sequence[Field], text: bytes, longest: int) -> pa.Table:
    schema = schema_of(list(fields))
    # `isspace` stops at the first other byte; a line of spaces alone is a line, and no record.
    if text.isspace() and not text.strip(b"\r\n"):
        return pa.table({column.name: pa.array([], _csv_type(column.type)) for column in schema})
    return csv.read_csv(
        pa.BufferReader(text),
        # Threads would only fight for the cores with the packet path; one reads 1.4 to 1.7 million rows a second.
        read_options=csv.ReadOptions(
            column_names=schema.names, block_size=max(_BLOCK_BYTES, 2 * longest), use_threads=False
        ),
        parse_options=csv.ParseOptions(delimiter=" ", quote_char=False, escape_char=False),
        convert_options=csv.ConvertOptions(
            column_types={column.name: _csv_type(column.type) for column in schema},
            null_values=["-"], strings_can_be_null=True,
        ),
    )


def _csv_type(column_type: pa.DataType) -> pa.DataType:
    return _DICTIONARY if pa.types.is_string(column_type) else column_type


def _reject_all(bodies: Sequence[bytes], reason: str) -> list[BadLine]:
    return [
        BadLine(message=index, line=number, reason=reason, record=line)
        for index, body in enumerate(bodies)
        for number, line in enumerate(body.splitlines(), 1)
        if line
    ]
