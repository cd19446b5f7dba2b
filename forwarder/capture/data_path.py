"""What a data path is: it carries packets by a plan and hands over windows and counters.  The portable one is
`forwarder.datapath.portable.PacketLoop`.

It puts a `Closed` into the outbox it was made with at every boundary of a capture window and of a metric sample; when that is full
its window stays open, and the next boundary closes both as one.
"""

from __future__ import annotations

from typing import Any, Protocol

from forwarder.capture.counters import EngineCounters


class DataPath(Protocol):
    """All calls but `run` come from other threads than its own."""

    counters: EngineCounters

    def follow(self, network: Any) -> None:
        """Have this network (plan and ports) used from now on; flows of endpoints that are in both do not notice."""

    def run(self) -> None:
        """Carry packets until `stop`."""

    def stop(self) -> None:
        """No new packets; those under way are waited for, the last window is closed (`Closed.last`), then `run` ends."""
