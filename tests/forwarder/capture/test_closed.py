"""What a data path hands over."""

from __future__ import annotations

from forwarder.capture.closed import Closed
from forwarder.capture.counters import EngineCounters


def test_a_sample_alone_has_no_window_and_does_not_end_the_run() -> None:
    made = Closed(end_s=1.0, counters=EngineCounters(endpoints={}, targets=[], refused_unattributed={}, flows=0))
    assert (made.window, made.last) == (None, False)
