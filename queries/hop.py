"""Hops, differences, and what one part of the books comes to.

A hop's received = sent + dropped + held; where two counts that should agree do not, that is a difference.
"""

from __future__ import annotations

from dataclasses import dataclass, field


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


@dataclass(slots=True, kw_only=True)
class Books:
    """Hops, differences and notes, being put together."""

    hops: list[Hop] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, hop: Hop) -> None:
        """Enter a hop, and a difference if its own numbers do not add up."""
        self.hops.append(hop)
        accounted = hop.sent + sum(hop.dropped.values()) + hop.held
        if hop.received != accounted:
            self.differences.append(Difference(
                chain=hop.chain, what=f"{hop.name}: sent, dropped and held {hop.unit} against received",
                expected=hop.received, found=accounted,
            ))
