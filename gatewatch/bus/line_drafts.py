"""Lines packed into messages of bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gatewatch.bus.message import Draft


def line_drafts(topic: str, key: str, lines: Iterable[bytes], bytes_max: int) -> Iterator[Draft]:
    """Messages of at most `bytes_max` bytes with `lines` in their order.

    A longer line goes alone: the publisher refuses it, unless it allows more than this.
    """
    held: list[bytes] = []
    size_bytes = 0
    for line in lines:
        if held and size_bytes + len(line) > bytes_max:
            yield _draft(topic, key, held)
            held, size_bytes = [], 0
        held.append(line)
        size_bytes += len(line) + 1  # the newline before the next one
    if held:
        yield _draft(topic, key, held)


def _draft(topic: str, key: str, lines: list[bytes]) -> Draft:
    return Draft(topic=topic, key=key, value=b"\n".join(lines), records=len(lines))
