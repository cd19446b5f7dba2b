"""A change of a target's health, one JSON object per line on `gatewatch.target-health`."""

from __future__ import annotations

import msgspec


class TargetHealthChange(msgspec.Struct, frozen=True, kw_only=True):
    """From one state to another.  `time` is epoch milliseconds; states and reasons are AWS's (`TargetHealth`).

    `load_balancer` and `target_group` are the ARN endings that CloudWatch uses as dimensions (`gwy/name/id`,
    `targetgroup/name/id`); `reason` and `description` are empty for a healthy target.
    """

    time: int
    load_balancer: str
    target_group: str
    target_id: str
    target_address: str
    availability_zone: str
    previous_state: str
    state: str
    reason: str = ""
    description: str = ""
