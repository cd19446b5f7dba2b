"""Epoch time that does not jump inside a batch: the monotonic clock, set by the wall clock now and then.

Flow time-outs need a clock that only runs forward; records need the time of day.  One reading serves both.  It moves
in steps of `STEP_S`, so that flows whose last packets came closely share the number that says when: one of its own would cost each
32 bytes.
"""

from __future__ import annotations

import time

STEP_S = 0.005


class SteadyClock:
    """Seconds since 1970 that follow the monotonic clock.  `synchronize` takes over a step of the wall clock."""

    def __init__(self) -> None:
        self._offset_s = self._reading_s = 0.0
        self.synchronize()

    def __call__(self) -> float:
        """The time now."""
        now_s = time.monotonic() + self._offset_s
        if now_s - self._reading_s >= STEP_S:
            self._reading_s = now_s
        return self._reading_s

    def synchronize(self) -> None:
        """Follow the wall clock again; called between windows, never inside a batch."""
        self._reading_s = time.time()
        self._offset_s = self._reading_s - time.monotonic()
