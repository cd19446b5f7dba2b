"""Columns of flow records become flow-log lines, and lines become messages of bounded size.

pyarrow writes the text, so there is no Python loop over records.  One message holds lines of one interface, is keyed by
it, and says its format in a header (architecture: "Bus").
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.csv as pa_csv

from gatewatch.bus import Draft
from gatewatch.records import topics
from gatewatch.records.flow_log import GATEWATCH_FORMAT, fields_of, schema_of

#: Columns, in order, of every record that gatewatch emits.
SCHEMA = schema_of(fields_of(GATEWATCH_FORMAT))

#: Records written at once, so that the text of a window in a flood, and a copy of its columns, are never there as a whole.
SLICE_ROWS = 20_000

_OPTIONS = pa_csv.WriteOptions(include_header=False, delimiter=" ", null_string="-", quoting_style="none")


def flow_lines(records: pa.Table) -> bytes:
    """Lines of `records` (columns of `SCHEMA`), each ended by a newline; null is `-`."""
    sink = pa.BufferOutputStream()
    # In one piece: pyarrow (26.0.1) writes thousands of zero bytes for an empty piece that comes before another.
    pa_csv.write_csv(records.combine_chunks(), sink, _OPTIONS)
    return bytes(sink.getvalue())


def flow_drafts(interface_id: str, records: pa.Table, bytes_max: int) -> Iterator[Draft]:
    """Messages of at most `bytes_max` bytes with the records of one interface, in their order."""
    for offset in range(0, records.num_rows, SLICE_ROWS):
        yield from _drafts(interface_id, flow_lines(records.slice(offset, SLICE_ROWS)), bytes_max)


def _drafts(interface_id: str, lines: bytes, bytes_max: int) -> Iterator[Draft]:
    start = 0
    while start < len(lines):
        # The newline after the last line of a message is not part of it.
        end = lines.rfind(b"\n", start, start + bytes_max + 1) + 1
        if end <= start:
            raise ValueError(f"a flow record of {interface_id} is longer than a message may be ({bytes_max} bytes)")
        value = lines[start : end - 1]
        yield Draft(
            topic=topics.FLOW_LOGS, key=interface_id, value=value, records=value.count(b"\n") + 1,
            headers={"format": GATEWATCH_FORMAT},
        )
        start = end
