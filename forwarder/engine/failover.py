"""Which targets may take new flows, and when a flow must leave its target.

Source: Gateway Load Balancer user guide, "Target failover" and "Target group health"; elbv2 attributes
`target_failover.on_unhealthy` and `.on_deregistration`, which must be equal and are one boolean here.

| Event | new flows | existing, no_rebalance | existing, rebalance |
|---|---|---|---|
| target turns unhealthy | healthy targets | stay | move to healthy targets, if there are any |
| target deregistered | others | stay | stay until the deregistration delay ended, then move |
| target healthy again, or added | may go to it | stay | stay |
| no target healthy | any registered target | stay | stay |
| no target registered | dropped | stay | stay |
"""

from __future__ import annotations

from collections.abc import Sequence

from forwarder.desired import Target, TargetState

#: An `unused` target for one of these reasons cannot receive packets, so it is not picked even when all are unhealthy.
UNREACHABLE_REASONS = frozenset({"Target.InvalidState", "Target.IpUnusable"})
_FAILED = frozenset({TargetState.UNHEALTHY, TargetState.UNUSED})


def eligible(targets: Sequence[Target]) -> list[int]:
    """Positions of the targets that may take new flows: the healthy ones, else every registered one.

    Registered means not draining.  Targets that are still `initial` count only in the second case.
    """
    registered = [
        position for position, target in enumerate(targets)
        if target.deregistered_at_s is None and target.state is not TargetState.DRAINING
        and target.reason not in UNREACHABLE_REASONS
    ]
    healthy = [position for position in registered if targets[position].state is TargetState.HEALTHY]
    return healthy or registered


def must_move(target: Target | None, *, rebalance: bool, healthy_exists: bool) -> bool:
    """Whether a flow must leave its target.  `target` is None once it is gone (its deregistration delay ended).

    With no healthy target to move to, the flow stays (AWS does not say; see docs/decisions/0013-failover.md).
    """
    if not rebalance or not healthy_exists:
        return False
    return target is None or (target.deregistered_at_s is None and target.state in _FAILED)
