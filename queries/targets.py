"""Targets and their health: where each stands now, and the timeline that led there."""

from __future__ import annotations

from dataclasses import dataclass

from queries.lake import Lake

#: States leave no gap: a target is in the state of its last change until the next one.
_CHANGES = """
    SELECT coalesce(load_balancer, '') AS load_balancer, coalesce(target_group, '') AS target_group,
           coalesce(target_id, '') AS target_id, coalesce(target_address, '') AS target_address,
           coalesce(availability_zone, '') AS availability_zone, coalesce(state, '') AS state,
           coalesce(reason, '') AS reason, coalesce(description, '') AS description, epoch_ms("time") AS time_ms,
           coalesce(sequence, 0) AS sequence
    FROM target_health
"""

_CURRENT = f"""
    WITH changes AS ({_CHANGES}),
    numbered AS (
        SELECT *, row_number() OVER (target ORDER BY time_ms DESC, sequence DESC) AS place, count(*) OVER target AS changes
        FROM changes
        WHERE time_ms <= $now_ms
        WINDOW target AS (PARTITION BY load_balancer, target_group, target_id)
    )
    SELECT load_balancer, target_group, target_id, target_address, availability_zone, state, reason, description,
           time_ms AS since_s, changes
    FROM numbered WHERE place = 1
    ORDER BY load_balancer, target_group, target_id
"""

_TIMELINE = f"""
    WITH changes AS ({_CHANGES}),
    segments AS (
        SELECT *, lead(time_ms) OVER (PARTITION BY load_balancer, target_group, target_id ORDER BY time_ms, sequence) AS next_ms
        FROM changes
    )
    SELECT load_balancer, target_group, target_id, availability_zone, state, reason, description,
           greatest(time_ms, $start_ms) AS start_s, least(coalesce(next_ms, $end_ms), $end_ms) AS end_s
    FROM segments
    WHERE time_ms < $end_ms AND coalesce(next_ms, $end_ms) > $start_ms
    ORDER BY load_balancer, target_group, target_id, start_s
"""


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
    found = lake.fetch(_CURRENT, {"now_ms": int(now_s * 1000)}, tables=["target_health"], end_s=now_s + 1)
    return [TargetNow(**{**row, "since_s": row["since_s"] / 1000}) for row in found.to_pylist()]


def timeline(lake: Lake, *, start_s: float, end_s: float) -> list[Segment]:
    """Segments of every target that overlap the range, ordered by target and time.  Raises `QueryFailed`."""
    bounds = {"start_ms": int(start_s * 1000), "end_ms": int(end_s * 1000)}
    # The state at the beginning of the range was entered before it, however long ago: no lower bound on files.
    found = lake.fetch(_TIMELINE, bounds, tables=["target_health"], end_s=end_s)
    return [
        Segment(**{**row, "start_s": row["start_s"] / 1000, "end_s": row["end_s"] / 1000}) for row in found.to_pylist()
    ]
