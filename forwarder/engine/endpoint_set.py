"""The endpoints of the plan, and those that are in none any more until they are done with.

An endpoint that goes keeps its flows until `clear` has removed them, a few at a time, and its counters until they were handed
in (`forget`): then they are part of the sum `forgotten`.  One that comes back before goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from forwarder.capture.counters import EndpointCounters, add_up, snapshot
from forwarder.engine.flow_table import EndpointFlows
from forwarder.plan import EndpointPlan, Plan


class EndpointSet:
    """Endpoints by id.  `unrecorded` are packets by endpoint that are in no record, which the capture window counts."""

    def __init__(self, unrecorded: Mapping[str, int]) -> None:
        self.present: dict[str, EndpointFlows] = {}
        self.forgotten = EndpointCounters()
        self._gone: dict[str, EndpointFlows] = {}
        self._unrecorded = unrecorded

    def follow(self, plan: Plan) -> dict[str, EndpointPlan]:
        """Take over a plan; the plans that its endpoints, and those that went, had before."""
        before = {state.id: state.plan for state in self.present.values()}
        for endpoint in before.keys() - {planned.endpoint_id for planned in plan.endpoints}:
            self._gone[endpoint] = self.present.pop(endpoint)
        for planned in plan.endpoints:
            endpoint = planned.endpoint_id
            state = self.present.get(endpoint) or self._gone.pop(endpoint, None) or EndpointFlows(planned)
            state.plan = planned
            state.counters.load_balancer, state.counters.zone = planned.load_balancer, planned.zone
            self.present[endpoint] = state
        return before

    @property
    def all(self) -> list[EndpointFlows]:
        """Those of the plan, and those that are not done with."""
        return [*self.present.values(), *self._gone.values()]

    def clear(self, clear: Callable[[EndpointFlows, int], int], flows_budget: int) -> None:
        """Have `clear` remove flows of endpoints that are gone, no more than `flows_budget`."""
        for state in self._gone.values():
            flows_budget -= clear(state, flows_budget)

    def counters(self) -> dict[str, EndpointCounters]:
        """A copy of everybody's."""
        return {state.id: self._snapshot(state) for state in self.all}

    def forget(self) -> list[str]:
        """Add up and let go those that are gone and have no flow any more; their ids."""
        done = [state for state in self._gone.values() if not state.counters.active_flows]
        self.forgotten = add_up([self.forgotten, *map(self._snapshot, done)])
        for state in done:
            del self._gone[state.id], state.roomless  # which would hold itself
        return [state.id for state in done]

    def _snapshot(self, state: EndpointFlows) -> EndpointCounters:
        return snapshot(state.counters, unrecorded=self._unrecorded.get(state.id, 0))
