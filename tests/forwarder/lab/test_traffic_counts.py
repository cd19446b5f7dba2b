"""The books of the lab's clients."""

from __future__ import annotations

from forwarder.lab import traffic_counts
from forwarder.lab.traffic_counts import TrafficCounts, summed


def test_requests_are_ok_failed_or_under_way() -> None:
    counts = TrafficCounts()
    for _ in range(4):
        counts.begun("http")
    counts.ended("http", "")
    counts.ended("http", "TimeoutError")
    counts.ended("http", "TimeoutError")
    total = summed([counts])
    assert total["kinds"] == {"http": {"requests": 4, "ok": 1, "failed": 2, "under_way": 1}}
    assert total["failures"] == {"TimeoutError": 2}


def test_clients_are_added_up_and_connections_put_in_order() -> None:
    one, other = TrafficCounts(), TrafficCounts()
    one.begun("dns")
    other.begun("dns")
    other.skipped = 2
    one.connected(3.0, ok=True)
    other.connected(1.0, ok=False)
    one.connected(2.0004, ok=True)
    one.scanned("open")
    other.scanned("open")
    total = summed([one, other])
    assert total["kinds"]["dns"]["requests"] == 2
    assert total["skipped"] == 2
    assert total["connections"] == [[1.0, False], [2.0, True], [3.0, True]]
    assert total["scan_ports"] == {"open": 2}


def test_connections_are_bounded_and_the_last_ones_kept() -> None:
    counts = TrafficCounts()
    for number in range(traffic_counts.CONNECTIONS_MAX + 5):
        counts.connected(float(number), ok=True)
    assert len(counts.connections) == traffic_counts.CONNECTIONS_MAX
    assert counts.connections[0] == (5.0, True)
