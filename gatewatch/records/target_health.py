"""A change of a target's health, one JSON object per line on `gatewatch.target-health`."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from gatewatch.records.domain import EpochMs, Name

#: The states of elbv2's `TargetHealthStateEnum` that a gateway's target can be in.
State = Annotated[str, Meta(pattern="^(initial|healthy|unhealthy|unused|draining|unavailable)$")]


class TargetHealthChange(msgspec.Struct, frozen=True, kw_only=True):
    """From one state to another.  `time` is epoch milliseconds; states and reasons are AWS's (`TargetHealth`).

    `load_balancer` and `target_group` are the ARN endings that CloudWatch uses as dimensions (`gwy/name/id`,
    `targetgroup/name/id`); `reason` and `description` are empty for a healthy target.
    """

    time: EpochMs
    load_balancer: str
    target_group: str
    target_id: Name
    target_address: str
    availability_zone: str
    previous_state: State
    state: State
    reason: str = ""
    description: str = ""
