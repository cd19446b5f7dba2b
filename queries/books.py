"""The chain of counters from packet to lake row: what each hop received, passed on, dropped and holds.

`differences` names every place where counts that should agree do not; empty means the books balance.  It can be asked
while the services run (what is under way is held) and after they stopped.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from queries import packet_books, record_books
from queries.hop import Books, Difference, Hop

__all__ = ["Chain", "Difference", "Hop", "chain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """All hops, differences and notes (what could not be looked at, such as a service that never ran)."""

    hops: list[Hop]
    differences: list[Difference]
    notes: list[str]

    @property
    def balanced(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def chain(data: Path, *, now_s: float | None = None) -> Chain:
    """The books of a data folder; `now_s` (epoch seconds, default: now) decides whether the forwarder still runs.

    Raises `QueryFailed` when manifest, spools or files cannot be read.
    """
    packets, records = Books(), Books()
    under_way = record_books.enter(records, data)
    packet_books.enter(packets, data, now_s=time.time() if now_s is None else now_s, under_way=under_way)
    return Chain(
        hops=[*packets.hops, *records.hops], differences=[*packets.differences, *records.differences],
        notes=[*packets.notes, *records.notes],
    )
