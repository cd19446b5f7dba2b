"""What a target's health is, seen from outside: the prober's finding, unless the target takes no traffic at all."""

from __future__ import annotations

import sqlite3

from forwarder.desired import ALL_ZONES, TargetState
from forwarder.target_health import DRAINING, NOT_LISTENED, ZONE_NOT_ENABLED, TargetStatus


def shown_health(row: sqlite3.Row, zones: frozenset[str] | None) -> TargetStatus:
    """The health of a row of `targets`; `zones` are those of the load balancer that uses its group, None: none does."""
    if zones is None:
        return NOT_LISTENED
    if row["deregistered_at_s"] is not None:
        return DRAINING
    if row["zone"] != ALL_ZONES and row["zone"] not in zones:
        return ZONE_NOT_ENABLED
    return TargetStatus(TargetState(row["state"]), row["reason"], row["description"])
