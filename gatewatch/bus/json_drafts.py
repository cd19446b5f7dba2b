"""Records as JSON objects, a line each, packed into messages of bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from gatewatch.bus import Draft
from gatewatch.bus.line_drafts import line_drafts


def json_drafts(topic: str, key: str, records: Iterable[msgspec.Struct], bytes_max: int) -> Iterator[Draft]:
    """Messages of at most `bytes_max` bytes with `records` in their order; `ValueError` for one that fits in none."""

    def line(record: msgspec.Struct) -> bytes:
        encoded = msgspec.json.encode(record)
        if len(encoded) > bytes_max:
            raise ValueError(f"a record for {topic} is longer than a message may be ({bytes_max} bytes)")
        return encoded

    return line_drafts(topic, key, map(line, records), bytes_max)
