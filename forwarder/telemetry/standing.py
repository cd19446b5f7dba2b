"""How the gateway stands: which endpoints refuse or endanger all their traffic and since when, and what was lost lately.

The running totals of the status file say what happened since the start; whether it happens now, and since when, is only
known to who looked before.  `look` is called with every status; what it gives goes into the status file, where
`queries.conditions` makes sentences of it.  No I/O, no clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from forwarder.capture.counters import EndpointCounters, EngineCounters
from forwarder.capture.drop_reason import DropReason
from forwarder.desired import Desired
from forwarder.plan import EndpointPlan, Plan
from gatewatch.standing import EndpointStanding, Lately

#: How long back "lately" reaches.
LATELY_S = 30.0

#: State of an endpoint, and the drop reason under which its packets are counted meanwhile.
STATES = {
    "no_load_balancer": DropReason.NO_LOAD_BALANCER, "no_listener": DropReason.NO_LISTENER,
    "no_target": DropReason.NO_TARGET, "no_target_in_zone": DropReason.NO_TARGET,
    "no_healthy_target": DropReason.NOT_RETURNED,
}


@dataclass(slots=True)
class _Total:
    """One running total's past.  `grew` is when it last grew."""

    past: deque[tuple[float, int]] = field(default_factory=deque)
    since_s: float = 0.0
    grew_s: float = float("-inf")


class Standing:
    """Remembers what it saw; at most as many totals as there are reasons, targets and nodes."""

    def __init__(self) -> None:
        self._states: dict[str, tuple[str, float, int]] = {}
        self._totals: dict[str, _Total] = {}

    def endpoints(
        self, plan: Plan, counters: EngineCounters, group_zones: Mapping[str, frozenset[str]], now_s: float
    ) -> list[EndpointStanding]:
        """The endpoints that stand badly; `group_zones` tells by target group (dimension) in which zones it has targets."""
        found = []
        self._states = {name: self._states[name] for name in self._states.keys() & {each.endpoint_id for each in plan.endpoints}}
        for endpoint in plan.endpoints:
            # The control thread may know of an endpoint that the packet thread has not taken over yet.
            counted = counters.endpoints.get(endpoint.endpoint_id, EndpointCounters())
            state = state_of(endpoint, group_zones)
            lost = _lost(counted, state)
            known = self._states.get(endpoint.endpoint_id)
            if known is None or known[0] != state:
                known = self._states[endpoint.endpoint_id] = (state, now_s, lost)
            if state:
                found.append(EndpointStanding(
                    endpoint=endpoint.endpoint_id, zone=endpoint.zone, target_group=_name(endpoint.target_group or ""),
                    state=state, since_s=known[1], packets=max(0, lost - known[2]),
                ))
        return found

    def lately(self, totals: Mapping[str, int], now_s: float) -> list[Lately]:
        """What each named total added lately; those that added nothing are left out, those that are gone forgotten."""
        self._totals = {name: self._totals.get(name) or _Total() for name in totals}
        found = []
        for name, total in totals.items():
            one = self._totals[name]
            if one.past and total > one.past[-1][1]:
                one.since_s = now_s if now_s - one.grew_s > LATELY_S else one.since_s
                one.grew_s = now_s
            one.past.append((now_s, total))
            while len(one.past) > 1 and one.past[1][0] <= now_s - LATELY_S:
                one.past.popleft()
            if (added := total - one.past[0][1]) > 0:
                found.append(Lately(name=name, added=added, since_s=one.since_s))
        return found


def state_of(endpoint: EndpointPlan, group_zones: Mapping[str, frozenset[str]]) -> str:
    """Why an endpoint's traffic as a whole does not pass, or passes no healthy target; empty when it does."""
    if endpoint.refusal is not None:
        return str(endpoint.refusal)
    if not endpoint.table:
        return "no_target_in_zone" if group_zones.get(endpoint.target_group or "") else "no_target"
    return "" if endpoint.healthy_exists else "no_healthy_target"


def _lost(counted: EndpointCounters, state: str) -> int:
    return counted.dropped.get(STATES[state], 0) if state else 0


def _name(dimension: str) -> str:
    parts = dimension.split("/")
    return parts[1] if len(parts) == 3 else dimension


def zones_of_groups(desired: Desired) -> dict[str, frozenset[str]]:
    """In which zones each target group (by dimension) has targets that may take flows."""
    groups = [balancer.target_group for balancer in desired.load_balancers if balancer.target_group is not None]
    return {
        group.dimension: frozenset(target.zone for target in group.targets if target.deregistered_at_s is None)
        for group in groups
    }
