"""JSON objects, a line each, packed into messages of bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from gatewatch.bus import Draft


def json_drafts(topic: str, key: str, records: Iterable[msgspec.Struct], bytes_max: int) -> Iterator[Draft]:
    """Messages of at most `bytes_max` bytes with `records` in their order; `ValueError` for one that fits in none."""
    lines: list[bytes] = []
    size_bytes = 0
    for record in records:
        line = msgspec.json.encode(record)
        if len(line) > bytes_max:
            raise ValueError(f"a record for {topic} is longer than a message may be ({bytes_max} bytes)")
        if lines and size_bytes + len(line) > bytes_max:
            yield _draft(topic, key, lines)
            lines, size_bytes = [], 0
        lines.append(line)
        size_bytes += len(line) + 1
    if lines:
        yield _draft(topic, key, lines)


def _draft(topic: str, key: str, lines: list[bytes]) -> Draft:
    return Draft(topic=topic, key=key, value=b"\n".join(lines), records=len(lines))
