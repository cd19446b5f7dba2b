"""An appliance's access log on its way to the bus: lines put together into messages, published by a thread of its own.

The packet thread hands over what it saw once a second and never waits.  At most `LINES_HELD_MAX` lines wait; what comes
beyond, while the disk or the bus does not keep up, is lost and counted.  handed over = published + held + lost.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import msgspec

from forwarder.lab.inspection import Seen, access_record
from gatewatch.bus.line_drafts import line_drafts
from gatewatch.bus.message import Publisher
from gatewatch.records.topics import APPLIANCE_ACCESS

LINES_HELD_MAX = 200_000


class AccessLog:
    """Hands what an inspector saw to a publisher.  `hand_over` is the packet thread's, `publish` another's."""

    def __init__(self, publisher: Publisher, *, appliance_id: str, message_bytes_max: int,
                 lines_held_max: int = LINES_HELD_MAX) -> None:
        self.handed_over = 0
        self.published = 0
        self.lost = 0
        self._publisher = publisher
        self._appliance_id = appliance_id
        self._message_bytes_max = message_bytes_max
        self._lines_held_max = lines_held_max
        self._lock = threading.Lock()
        self._held: list[Seen] = []

    def hand_over(self, seen: Sequence[Seen]) -> None:
        """Take lines; those for which there is no room are lost."""
        with self._lock:
            room = max(0, self._lines_held_max - len(self._held))
            self._held.extend(seen[:room])
            self.handed_over += len(seen)
            self.lost += max(0, len(seen) - room)

    def publish(self) -> None:
        """Put everything that is held on the bus; when that fails it stays held, and the publisher's error is raised."""
        with self._lock:
            batch = self._held[:]
        if not batch:
            return
        encode = msgspec.json.Encoder().encode
        lines = (encode(access_record(seen, self._appliance_id)) for seen in batch)
        self._publisher.publish(list(line_drafts(APPLIANCE_ACCESS, self._appliance_id, lines, self._message_bytes_max)))
        with self._lock:
            del self._held[:len(batch)]
            self.published += len(batch)

    def counts(self) -> dict[str, int]:
        """The books of the access log."""
        with self._lock:
            return {"handed_over": self.handed_over, "published": self.published, "held": len(self._held), "lost": self.lost}
