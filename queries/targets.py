"""Targets and their health: where each stands now, and the timeline that led there."""

from __future__ import annotations

from dataclasses import dataclass

from queries.lake import Lake


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetNow:
    """The last known state of one target, since when (epoch seconds), and AWS's reason code and description."""

    load_balancer: str
    target_group: str
    target_id: str
    target_address: str
    availability_zone: str
    state: str
    reason: str
    description: str
    since_s: float
    changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A time in which a target stayed in one state: `start_s <= t < end_s`, epoch seconds, cut to the range asked."""

    load_balancer: str
    target_group: str
    target_id: str
    availability_zone: str
    state: str
    reason: str
    description: str
    start_s: float
    end_s: float


def current(lake: Lake, *, now_s: float) -> list[TargetNow]:
    """Every target seen up to `now_s`, ordered by load balancer, group and id.  Raises `QueryFailed`."""
    raise AssertionError("filled in by the next change")


def timeline(lake: Lake, *, start_s: float, end_s: float) -> list[Segment]:
    """Segments of every target that overlap the range, ordered by target and time.  Raises `QueryFailed`."""
    raise AssertionError("filled in by the next change")
