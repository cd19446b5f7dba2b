"""What the forwarder tells in its status of how things stand now, and `queries.conditions` makes sentences of."""

from __future__ import annotations

import msgspec


class EndpointStanding(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint through which nothing passes as it should: why (`forwarder.telemetry.standing.STATES`), since when (epoch
    seconds), and how many packets were lost for that reason since.  `target_group` is a name, empty where there is none."""

    endpoint: str
    zone: str
    target_group: str
    state: str
    since_s: float
    packets: int


class Lately(msgspec.Struct, frozen=True, kw_only=True):
    """What a running total added in the last half minute; since when (epoch seconds) it has never stood still as long."""

    name: str
    added: int
    since_s: float
