"""The books of one client: tries by kind, and whether new connections worked, with the time each began."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any

#: New connections remembered by a client, the last ones.
CONNECTIONS_MAX = 4_000


class TrafficCounts:
    """Counts of one client, for each kind requests = ok + failed + under way.  Any thread may read them."""

    def __init__(self) -> None:
        self.skipped = 0
        self.requests: Counter[str] = Counter()
        self.ok: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.scan_ports: Counter[str] = Counter()
        self._connections: deque[tuple[float, bool]] = deque(maxlen=CONNECTIONS_MAX)
        self._lock = threading.Lock()

    def begun(self, kind: str) -> None:
        """A try begins."""
        with self._lock:
            self.requests[kind] += 1

    def ended(self, kind: str, failure: str) -> None:
        """A try ended; `failure` is empty when it went well, else the name of what went wrong."""
        with self._lock:
            if failure:
                self.failed[kind] += 1
                self.failures[failure] += 1
            else:
                self.ok[kind] += 1

    def connected(self, started_s: float, *, ok: bool) -> None:
        """A new TCP connection begun at `started_s` (epoch) worked, or did not."""
        with self._lock:
            self._connections.append((started_s, ok))

    def scanned(self, finding: str) -> None:
        """A scanned port was `open`, `closed` or `filtered`."""
        with self._lock:
            self.scan_ports[finding] += 1

    def copy(self) -> TrafficCounts:
        """A consistent copy."""
        copied = TrafficCounts()
        with self._lock:
            copied.skipped = self.skipped
            for name in ("requests", "ok", "failed", "failures", "scan_ports"):
                getattr(copied, name).update(getattr(self, name))
            copied._connections.extend(self._connections)
        return copied

    @property
    def connections(self) -> list[tuple[float, bool]]:
        """The remembered connections: when each began and whether it worked."""
        with self._lock:
            return list(self._connections)


def summed(parts: Iterable[TrafficCounts]) -> dict[str, Any]:
    """All clients' counts together, as the status file has them.

    `connections` are the last new TCP connections in order of their begin: [epoch seconds, whether it worked].
    """
    total = TrafficCounts()
    connections: list[tuple[float, bool]] = []
    for part in [part.copy() for part in parts]:
        total.skipped += part.skipped
        for name in ("requests", "ok", "failed", "failures", "scan_ports"):
            getattr(total, name).update(getattr(part, name))
        connections += part.connections
    kinds = {
        kind: {"requests": count, "ok": total.ok[kind], "failed": total.failed[kind],
               "under_way": count - total.ok[kind] - total.failed[kind]}
        for kind, count in sorted(total.requests.items())
    }
    return {
        "kinds": kinds, "failures": dict(total.failures), "skipped": total.skipped,
        "scan_ports": dict(total.scan_ports),
        "connections": [[round(started_s, 3), ok] for started_s, ok in sorted(connections)],
    }
