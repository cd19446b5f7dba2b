"""The chain of counters from packet to lake row: what each hop received, passed on, dropped and holds.

`differences` names every place where received is not sent + dropped + held; empty means the books balance.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One hop of a chain.  `unit` says what is counted (packets, records, rows); `dropped` is by reason."""

    chain: str
    name: str
    unit: str
    received: int
    sent: int
    dropped: dict[str, int]
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two counts that should agree and do not."""

    chain: str
    what: str
    expected: int
    found: int


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


def chain(data: Path) -> Chain:
    """The books of a data folder, read while the services run or after they stopped."""
    raise AssertionError("filled in by the next change")
