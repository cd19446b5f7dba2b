"""When to look at which flow again: flows by the second in which each could have been idle too long.

Operations: put a flow, see and drop the earliest.  Goals: constant time, and 8 bytes a flow; a flow that was used meanwhile is
simply put again by who takes it, so nothing happens here for a packet.  Plan: a list of flows for each second, and a heap of
those seconds.  A flow is seen up to a second after its time, and which one of a second comes first is left open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from math import ceil

from forwarder.engine.flow import Flow


class IdleTimes:
    """Flows by their second (epoch seconds, rounded up)."""

    def __init__(self, flows: Iterable[Flow] = ()) -> None:
        self._seconds: list[int] = []
        self._flows: dict[int, list[Flow]] = {}
        self._count = 0
        self._to_sweep: list[int] = []
        for flow in flows:
            self.put(flow)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Flow]:
        for flows in self._flows.values():
            yield from flows

    def put(self, flow: Flow) -> None:
        """Look at it when it could be idle, by what is known of it now."""
        second = due_second(flow)
        flows = self._flows.get(second)
        if flows is None:
            flows = self._flows[second] = []
            heappush(self._seconds, second)
        flows.append(flow)
        self._count += 1

    @property
    def second(self) -> int | None:
        """That of the earliest flow."""
        return self._seconds[0] if self._seconds else None

    @property
    def first(self) -> Flow:
        """A flow of the earliest second; `IndexError` when there is none."""
        return self._flows[self._seconds[0]][-1]

    def drop_first(self) -> Flow:
        """Take `first` out."""
        second = self._seconds[0]
        flows = self._flows[second]
        flow = flows.pop()
        if not flows:
            heappop(self._seconds)
            del self._flows[second]
        self._count -= 1
        return flow

    def sweep(self, flows_budget: int) -> None:
        """Let go of flows that are no more, of further seconds with each call until about `flows_budget` were looked at."""
        self._to_sweep = self._to_sweep or list(self._flows)
        while self._to_sweep and flows_budget > 0:
            second = self._to_sweep.pop()
            flows = self._flows.get(second, [])
            # One stays in any case: a second that is in the heap has flows.
            kept = [flow for flow in flows if flow.alive] or flows[:1]
            if len(kept) < len(flows):
                self._flows[second] = kept
                self._count -= len(flows) - len(kept)
            flows_budget -= len(flows)


def due_second(flow: Flow) -> int:
    """The first whole second at which it has been idle too long."""
    return ceil(flow.last_s + flow.idle_timeout_s)
