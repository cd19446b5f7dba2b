"""Who may take new flows, and when a flow must leave its target: the table in the module, row by row."""

from __future__ import annotations

import pytest

from forwarder.desired import Target, TargetState
from forwarder.engine.failover import eligible, must_move
from tests.forwarder.engine.examples import draining, target

HEALTHY, UNHEALTHY, INITIAL, UNUSED = (
    target(1), target(2, TargetState.UNHEALTHY), target(3, TargetState.INITIAL), target(4, TargetState.UNUSED)
)
STOPPED = target(5, TargetState.UNUSED, reason="Target.InvalidState")


@pytest.mark.parametrize(("targets", "expected"), [
    ([HEALTHY, UNHEALTHY, INITIAL, UNUSED, draining(6)], [0]),
    ([UNHEALTHY, HEALTHY, HEALTHY], [1, 2]),
    ([UNHEALTHY, INITIAL, UNUSED], [0, 1, 2]),
    ([draining(6), UNHEALTHY], [1]),
    ([draining(6)], []),
    ([STOPPED], []),
    ([STOPPED, UNHEALTHY], [1]),
    ([], []),
], ids=[
    "healthy only", "every healthy one", "none healthy: all", "draining never", "only draining", "unreachable never",
    "unreachable never, others sick", "none",
])
def test_eligible(targets: list[Target], expected: list[int]) -> None:
    assert eligible(targets) == expected


@pytest.mark.parametrize(("now", "rebalance", "healthy_exists", "expected"), [
    (HEALTHY, True, True, False),
    (INITIAL, True, True, False),
    (UNHEALTHY, True, True, True),
    (UNHEALTHY, True, False, False),
    (UNHEALTHY, False, True, False),
    (UNUSED, True, True, True),
    (draining(6), True, True, False),
    (None, True, True, True),
    (None, True, False, False),
    (None, False, True, False),
], ids=[
    "healthy stays", "initial stays", "unhealthy moves", "nowhere to go", "no_rebalance", "unused moves",
    "draining stays", "gone moves", "gone, nowhere to go", "gone, no_rebalance",
])
def test_must_move(now: Target | None, rebalance: bool, healthy_exists: bool, expected: bool) -> None:
    assert must_move(now, rebalance=rebalance, healthy_exists=healthy_exists) is expected
