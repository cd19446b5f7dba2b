"""Epoch time that does not jump inside a batch: the monotonic clock, set by the wall clock now and then.

Flow time-outs need a clock that only runs forward; records need the time of day.  One reading serves both.
"""

from __future__ import annotations

import time


class SteadyClock:
    """Seconds since 1970 that follow the monotonic clock.  `synchronize` takes over a step of the wall clock."""

    def __init__(self) -> None:
        self._offset_s = 0.0
        self.synchronize()

    def __call__(self) -> float:
        """The time now."""
        return time.monotonic() + self._offset_s

    def synchronize(self) -> None:
        """Follow the wall clock again; called between windows, never inside a batch."""
        self._offset_s = time.time() - time.monotonic()
