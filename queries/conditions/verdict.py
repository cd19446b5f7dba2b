"""The conditions that hold, as a person is told them: one sentence each, and one verdict over all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from queries.conditions.condition import Condition, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One word for everything: `severity` None when nothing is wrong; `text` is the worst condition's sentence."""

    severity: Severity | None
    text: str
    others: int


def time_of_day(epoch_s: float) -> str:
    """`2026-11-27 12:03:11 UTC`; the console has its own, in the reader's zone."""
    return f"{datetime.fromtimestamp(epoch_s, UTC):%Y-%m-%d %H:%M:%S} UTC"


def sentence(condition: Condition, when: Callable[[float], str] = time_of_day) -> str:
    """`No packet passes: target group firewalls has no target (since 12:03:11 UTC, 4,211 packets refused).`"""
    facts = []
    if condition.since_s is not None:
        facts.append(f"since {when(condition.since_s)}")
    if condition.packets is not None:
        facts.append(f"{condition.packets:,} {condition.unit}")
    told = f" ({', '.join(facts)})" if facts else ""
    return f"{condition.kind.heading}: {condition.detail}{told}."


def verdict(conditions: Sequence[Condition], when: Callable[[float], str] = time_of_day) -> Verdict:
    """The worst of them, or that nothing is wrong."""
    worst = min(conditions, key=lambda each: each.kind.severity is not Severity.CRITICAL, default=None)
    if worst is None:
        return Verdict(severity=None, text="Nothing is wrong.", others=0)
    return Verdict(severity=worst.kind.severity, text=sentence(worst, when), others=len(conditions) - 1)
