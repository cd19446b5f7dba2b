"""Which health is shown: a table of what the row says and who uses the group."""

from __future__ import annotations

from typing import Any

import pytest

from forwarder.control.target_view import shown_health
from forwarder.desired import TargetState
from forwarder.target_health import DRAINING, NOT_LISTENED, ZONE_NOT_ENABLED, TargetStatus

HEALTHY = {"zone": "a", "state": "healthy", "reason": "", "description": "", "deregistered_at_s": None}


@pytest.mark.parametrize(("row", "zones", "health"), [
    (HEALTHY, {"a", "b"}, TargetStatus(TargetState.HEALTHY)),
    (HEALTHY, None, NOT_LISTENED),
    (HEALTHY, {"b"}, ZONE_NOT_ENABLED),
    ({**HEALTHY, "zone": "all"}, {"b"}, TargetStatus(TargetState.HEALTHY)),
    ({**HEALTHY, "deregistered_at_s": 1.0}, {"b"}, DRAINING),
    ({**HEALTHY, "deregistered_at_s": 1.0}, None, NOT_LISTENED),
])
def test_shown_health(row: Any, zones: set[str] | None, health: TargetStatus) -> None:
    assert shown_health(row, None if zones is None else frozenset(zones)) == health
