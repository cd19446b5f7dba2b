"""What a data path hands to telemetry, through a bounded queue."""

from __future__ import annotations

from dataclasses import dataclass

from forwarder.capture.counters import EngineCounters
from forwarder.capture.window import CapturedWindow

#: Windows and samples that telemetry may be behind.
OUTBOX_ITEMS_MAX = 32


@dataclass(slots=True, kw_only=True)
class Closed:
    """A capture window, a sample of the counters, or both.

    `counters` is a copy as of `end_s` (epoch seconds), when it was closed; `last` ends the run.
    """

    end_s: float
    counters: EngineCounters
    window: CapturedWindow | None = None
    last: bool = False
