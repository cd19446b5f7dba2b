"""From the outbox to the bus, each event exactly once.

The outbox's numbers have no gaps, and the publisher stores the last number it took in the transaction that takes the
events.  So after a crash at any point the relay goes on behind that number: what was published and not yet trimmed is
trimmed, what was not published is published.  The source is named after the store's identity, since another store's
numbers begin at 1 again.
"""

from __future__ import annotations

import sqlite3
import threading
from typing import Final

import structlog

from forwarder.control.store import Store
from gatewatch.bus.line_drafts import line_drafts
from gatewatch.bus.message import Publisher
from gatewatch.records.topics import AUDIT
from gatewatch.repeated_error import RepeatedError

#: Events moved in one step.
BATCH_EVENTS_MAX: Final = 500

#: How often the relay looks without being told to, and how long it waits after a failure.
LOOK_S: Final = 0.5
RETRY_S: Final = 1.0


class OutboxRelay:
    """Moves events; `move` does one step, `start` a thread that does all."""

    def __init__(self, store: Store, publisher: Publisher, *, key: str, message_bytes_max: int) -> None:
        self._store = store
        self._publisher = publisher
        self._key = key
        self._message_bytes_max = message_bytes_max
        with store.reading() as connection:
            self._source = f"outbox.{connection.execute('SELECT value FROM identity').fetchone()[0]}"
            self._written_before = _written(connection) - _held(connection)
        self._moved = 0
        self._failures = 0
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit-outbox")
        self._repeated = RepeatedError(structlog.get_logger())

    def move(self) -> int:
        """Publish the oldest events that are not on the bus yet, and trim what is; the number published."""
        position = self._publisher.source_position(self._source)
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT id, record FROM audit_outbox WHERE id > ? ORDER BY id LIMIT ?", (position, BATCH_EVENTS_MAX)
            ).fetchall()
            behind = connection.execute("SELECT 1 FROM audit_outbox WHERE id <= ? LIMIT 1", (position,)).fetchone()
        if rows:
            drafts = line_drafts(AUDIT, self._key, (row["record"] for row in rows), self._message_bytes_max)
            self._publisher.publish(list(drafts), source=(self._source, rows[-1]["id"]))
            self._moved += len(rows)
        if rows or behind:
            self._trim(rows[-1]["id"] if rows else position)
        return len(rows)

    def counts(self) -> dict[str, int]:
        """Events written by whomever (those that waited at the start too), events moved and steps failed since the start, and
        events that wait."""
        with self._store.reading() as connection:
            written, held = _written(connection) - self._written_before, _held(connection)
        return {"written": written, "moved": self._moved, "failures": self._failures, "held": held}

    def wake(self) -> None:
        """There is something to move."""
        self._wake.set()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Move what is there, as far as that succeeds, and end the thread."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(LOOK_S)
            self._wake.clear()
            if not self._move_all():
                self._stopping.wait(RETRY_S)
        self._move_all()

    def _move_all(self) -> bool:
        try:
            while self.move() == BATCH_EVENTS_MAX:
                pass
        except Exception:  # the outermost loop: without this thread events would wait until no call is taken any more
            self._failures += 1
            self._repeated.exception("audit events cannot be moved to the bus", failures=self._failures)
            return False
        return True

    def _trim(self, last_id: int) -> None:
        with self._store.writing() as connection:
            connection.execute("DELETE FROM audit_outbox WHERE id <= ?", (last_id,))


def _written(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit_outbox'").fetchone()
    return 0 if row is None else int(row[0])


def _held(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM audit_outbox").fetchone()[0])
