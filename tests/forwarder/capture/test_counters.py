"""The derived numbers."""

from __future__ import annotations

import pytest

from forwarder.capture.counters import EndpointCounters, snapshot


def test_what_is_not_returned_follows_from_the_others() -> None:
    counters = EndpointCounters(sent=10, returned=7, originated=2, sent_bytes=1000, returned_bytes=700)
    assert counters.not_returned == 5
    assert counters.processed_packets == 17
    assert counters.processed_bytes == 1700


def test_a_count_below_nothing_is_not_published() -> None:
    with pytest.raises(AssertionError, match="ever negative"):
        snapshot(EndpointCounters(sent=1, returned=2), unrecorded=0)
