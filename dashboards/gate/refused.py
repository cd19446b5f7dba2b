"""A request that is not let in: the status it is answered with, under which name it is counted, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: The names a refusal is counted under.
REASONS = ("host", "origin", "address", "method", "length", "slow", "type", "body", "websocket")


@dataclass(slots=True, kw_only=True, eq=False)
class Refused(Exception):
    """HTTP `status` (4xx), one of `REASONS`, a sentence for the caller, and headers that belong to the status."""

    status: int
    reason: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert 400 <= self.status < 500, self.status
        assert self.reason in REASONS, self.reason
