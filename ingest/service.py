"""The ingest service: messages from the bus, in batches, into the lake, until SIGTERM or SIGINT.

A batch opens with the first message and closes after `ingest_batch_s`, or when it is full.  A batch that fails (a full
disk, say) is kept and tried again, since nothing of it has been published; every failure is counted, and told in the
status while it lasts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import structlog

from gatewatch.bus import Consumer, Message, open_consumer
from gatewatch.records.topics import TOPICS
from gatewatch.repeated_error import RepeatedError
from gatewatch.service import set_up_logging, stop_event
from gatewatch.settings import Settings
from gatewatch.status_file import write_status
from ingest import orphans
from ingest.compaction import Compactor
from ingest.manifest import MANIFEST, Manifest
from ingest.pipeline import Pipeline

SERVICE = "ingest"
#: Bytes of message bodies in one batch; ten times as much is in memory while it is written.
BATCH_BYTES_MAX = 64 << 20
#: Records in one commit: set aside, each is an object of its own, and rubbish may have a line in every second byte.
COMMIT_RECORDS_MAX = 500_000
RETRY_S_MAX = 5.0
STATUS_S = 1.0

_log = structlog.get_logger()


def serve(settings: Settings) -> None:
    """Run until told to stop; the batch at hand is finished first."""
    set_up_logging(settings.log_level)
    Ingest(settings).run(stop_event())


class Ingest:
    """The loop and what it counts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._errors = 0
        self._last_error = ""
        self._problem = ""
        self._repeated = RepeatedError(_log)
        self._last_commit_s = 0.0
        self._status_at_s = 0.0
        self._orphans = orphans.Found(deleted=0, strange=0)
        self._pipeline = Pipeline(settings.data_path)
        self._compactor = Compactor(settings, writing=self._pipeline.writing)
        self._consumer: Consumer | None = None

    def run(self, stop: threading.Event) -> None:
        """Consume until `stop` is set."""
        settings = self._settings
        self._write_status()
        before_s = time.time() - settings.orphan_age_s
        self._orphans = orphans.delete(self._pipeline.lake, self._pipeline.manifest, before_s, self._pipeline.writing)
        positions = Manifest.open_for_reading(settings.data_path / MANIFEST).positions()
        self._consumer = consumer = open_consumer(settings, SERVICE, TOPICS, positions)
        self._compactor.start()
        _log.info("ingest started", bus=settings.bus, partitions=len(positions), orphans_deleted=self._orphans.deleted)
        if self._orphans.strange:
            _log.warning(
                "the lake has files that are older than the manifest and unknown to it; they are left, and not read",
                files=self._orphans.strange, lake=str(self._pipeline.lake),
            )
        try:
            while not stop.is_set():
                messages = self._collect(consumer, stop)
                for part in _parts(messages):
                    if not self._take(consumer, part, stop):
                        break
                self._write_status()
        finally:
            self._compactor.stop()
            consumer.close()
            self._write_status(last=True)
            self._pipeline.close()
        _log.info("ingest stopped", rows=self._pipeline.counters.rows, commits=self._pipeline.counters.commits)

    def _collect(self, consumer: Consumer, stop: threading.Event) -> list[Message]:
        """What comes within `ingest_batch_s` of the first message; empty when none came for `ingest_poll_s`."""
        settings = self._settings
        messages = self._poll(consumer, settings.ingest_poll_s, settings.ingest_batch_messages_max)
        until_s = time.monotonic() + settings.ingest_batch_s
        size = sum(len(message.value) for message in messages)
        while messages and not stop.is_set():
            room = settings.ingest_batch_messages_max - len(messages)
            left_s = until_s - time.monotonic()
            if room <= 0 or left_s <= 0 or size >= BATCH_BYTES_MAX:
                break
            more = self._poll(consumer, min(left_s, settings.ingest_poll_s), room)
            size += sum(len(message.value) for message in more)
            messages.extend(more)
        return messages

    def _poll(self, consumer: Consumer, timeout_s: float, messages_max: int) -> list[Message]:
        try:
            messages = consumer.poll(timeout_s, messages_max)
        # The shell's outermost loop: what was collected so far must not be lost to what comes next.
        except Exception as error:
            self._failed("the bus was not read", error)
            time.sleep(timeout_s)
            return []
        self._problem = ""
        return messages

    def _take(self, consumer: Consumer, messages: list[Message], stop: threading.Event) -> bool:
        """Whether they are in the lake; False when told to stop before that."""
        wait_s = 0.1
        while True:
            try:
                positions = self._pipeline.take(messages)
                break
            # The shell's outermost loop: whatever failed, nothing was published, and the bus still has the messages.
            except Exception as error:
                self._failed("a batch was not written", error)
                self._write_status()
                if stop.wait(wait_s):
                    return False
                wait_s = min(2 * wait_s, RETRY_S_MAX)
        self._last_commit_s = time.time()
        self._problem = ""
        try:
            consumer.acknowledge(positions)
        except Exception as error:
            # The bus keeps them a while longer; the next acknowledgement covers these too.
            self._failed("the bus was not told of a commit", error)
        return True

    def _failed(self, what: str, error: Exception) -> None:
        self._errors += 1
        self._problem = self._last_error = f"{what}: {type(error).__name__}: {error}"
        self._repeated.exception(what, error=str(error), errors=self._errors)

    def _write_status(self, *, last: bool = False) -> None:
        # When it is next due is told by the clock that nobody sets: set back by an hour, this service would seem dead.
        if time.monotonic() < self._status_at_s and not last:
            return
        self._status_at_s = time.monotonic() + STATUS_S
        now_s = time.time()
        lags = self._pipeline.newest_lags
        content = {
            **asdict(self._pipeline.counters), "compaction": asdict(self._compactor.counters),
            "orphans_deleted": self._orphans.deleted + self._compactor.counters.orphans_deleted,
            "files_older_than_manifest": self._orphans.strange, "errors": self._errors + self._compactor.errors,
            "last_error": self._last_error or self._compactor.last_error,
            "problem": self._problem or (self._consumer.problem() if self._consumer else ""), "last_commit_s": self._last_commit_s,
            "lag_s": max((lag_s for lag_s, _ in lags), default=0.0), "bus": self._settings.bus, "stopped": last,
        }
        write_status(self._settings.data_path, SERVICE, now_s, content)


def _parts(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """The messages in order, in parts of at most `COMMIT_RECORDS_MAX` records (one message may go beyond)."""
    part: list[Message] = []
    records = 0
    for message in messages:
        if part and records + message.records > COMMIT_RECORDS_MAX:
            yield part
            part, records = [], 0
        part.append(message)
        records += message.records
    if part:
        yield part
