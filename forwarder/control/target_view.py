"""What a target's health is, seen from outside: the prober's finding, unless the target takes no traffic at all.

The words are AWS's (Gateway Load Balancers user guide, "Health checks for Gateway Load Balancer target groups").
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

from forwarder.desired import ALL_ZONES


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """elbv2's `TargetHealth`; reason and description are empty for a healthy target."""

    state: str
    reason: str = ""
    description: str = ""


REGISTERING: Final = Health(
    state="initial", reason="Elb.RegistrationInProgress", description="Target registration is in progress"
)
DRAINING: Final = Health(
    state="draining", reason="Target.DeregistrationInProgress", description="Target deregistration is in progress"
)
NOT_REGISTERED: Final = Health(
    state="unused", reason="Target.NotRegistered", description="Target is not registered to the target group"
)
GROUP_NOT_USED: Final = Health(
    state="unused",
    reason="Target.NotInUse",
    description="Target group is not configured to receive traffic from the load balancer",
)
ZONE_NOT_ENABLED: Final = Health(
    state="unused",
    reason="Target.NotInUse",
    description="Target is in an Availability Zone that is not enabled for the load balancer",
)
INVALID_STATE: Final = "Target.InvalidState"


def shown_health(row: sqlite3.Row, zones: frozenset[str] | None) -> Health:
    """The health of a row of `targets`; `zones` are those of the load balancer that uses its group, None: none does."""
    if zones is None:
        return GROUP_NOT_USED
    if row["deregistered_at_s"] is not None:
        return DRAINING
    if row["zone"] != ALL_ZONES and row["zone"] not in zones:
        return ZONE_NOT_ENABLED
    return Health(state=row["state"], reason=row["reason"], description=row["description"])
