"""Which health is shown: a table of what the row says and who uses the group."""

from __future__ import annotations

from typing import Any

import pytest

from forwarder.control.target_view import (
    DRAINING,
    GROUP_NOT_USED,
    ZONE_NOT_ENABLED,
    Health,
    shown_health,
)

HEALTHY = {"zone": "a", "state": "healthy", "reason": "", "description": "", "deregistered_at_s": None}


@pytest.mark.parametrize(("row", "zones", "health"), [
    (HEALTHY, {"a", "b"}, Health(state="healthy")),
    (HEALTHY, None, GROUP_NOT_USED),
    (HEALTHY, {"b"}, ZONE_NOT_ENABLED),
    ({**HEALTHY, "zone": "all"}, {"b"}, Health(state="healthy")),
    ({**HEALTHY, "deregistered_at_s": 1.0}, {"b"}, DRAINING),
    ({**HEALTHY, "deregistered_at_s": 1.0}, None, GROUP_NOT_USED),
])
def test_shown_health(row: Any, zones: set[str] | None, health: Health) -> None:
    assert shown_health(row, None if zones is None else frozenset(zones)) == health
