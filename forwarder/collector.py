"""Python's cycle collector, set for a process that carries packets."""

from __future__ import annotations

import gc

#: When it runs: at so many new objects, and how often the older ones are walked too.  Python's 700 makes a new flow,
#: which is some eight objects and in no cycle once it is removed, cost 15 microseconds instead of 11, and packets wait a
#: quarter of a second while 200,000 flows come to be instead of some hundredths.
THRESHOLDS = (10_000, 10, 10)


def calm_collector() -> None:
    """Have it run seldom, and never walk what is there now.  Call it once all that stays has been made."""
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
