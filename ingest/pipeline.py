"""One batch from the bus into the lake: read it, write its files, publish them in the manifest, tell the bus.

What happens on a crash between two of these: before the rename, nothing; between rename and manifest, a file that no
reader sees and `ingest/orphans.py` deletes; between manifest and bus, the messages come again and are skipped by seq.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatewatch.bus.message import Message
from gatewatch.lock_file import Held, hold, release
from gatewatch.records.tables import TABLES
from gatewatch.refusal import Refusal
from ingest import batch as batches
from ingest import lake_files
from ingest.manifest import LAKE, MANIFEST
from ingest.manifest_writer import Commit, ManifestWriter

LOCK = "manifest.lock"


class IngestHeld(Refusal, RuntimeError):
    """Another process writes this lake; two would each take the same messages."""


@dataclass(slots=True, kw_only=True)
class Counters:
    """What this process did since it started; `gaps` are messages found missing, less those that came after all."""

    messages: int = 0
    duplicates: int = 0
    records: int = 0
    rows: int = 0
    rejected: int = 0
    gaps: int = 0
    files: int = 0
    commits: int = 0


class Pipeline:
    """Holds the manifest's writing side and the last seq of every stream.

    Those seqs are in memory, so there is one pipeline to a data folder at a time: `IngestHeld` for another.
    """

    def __init__(self, data: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.lake = data / LAKE
        try:
            self._lock = hold(data / LOCK)
        except Held as error:
            raise IngestHeld(f"{error.holder} already writes the lake of {data}; stop it first") from None
        try:
            self.manifest = ManifestWriter(data / MANIFEST)
        except BaseException:
            release(self._lock)
            raise
        self.counters = Counters()
        #: Held while there are files that the manifest does not know yet.
        self.writing = threading.Lock()
        #: (lag in seconds, rows) of the newest commit, all tables.
        self.newest_lags: list[tuple[float, int]] = []
        self._clock = clock
        self._last_seqs = self.manifest.last_seqs()
        self._missing = self.manifest.missing()
        self.lake.mkdir(parents=True, exist_ok=True)

    def take(self, messages: Sequence[Message]) -> Mapping[str, int]:
        """Put the messages into the lake, all or (on an error) none; the positions that the bus may be told."""
        batch = batches.read(messages, self._last_seqs, self._clock(), self._missing)
        commit = Commit(
            at_s=self._clock(), positions=batch.positions, streams=batch.streams, gaps=batch.gaps, filled=batch.filled
        )
        with self.writing:
            self._publish(batch, commit)
        self._remember(commit)
        return batch.positions

    def close(self) -> None:
        """Close the manifest and let another process write the lake."""
        self.manifest.close()
        release(self._lock)

    def _publish(self, batch: batches.Batch, commit: Commit) -> None:
        try:
            for name, rows in batch.rows.items():
                written = len(commit.files)
                for file in lake_files.write(self.lake, TABLES[name], rows, commit.at_s):
                    commit.files.append(file)
                assert sum(file.rows for file in commit.files[written:]) == rows.num_rows
            # After writing: rows become readable with the transaction that comes now.
            commit.at_s = self._clock()
            for name, rows in batch.rows.items():
                commit.freshness.extend(batches.freshness(TABLES[name], rows, commit.at_s))
            self.manifest.commit(commit)
        except BaseException:
            self._take_back(commit)
            raise

    def _take_back(self, commit: Commit) -> None:
        """Delete what a failed attempt wrote: a full disk must not get fuller with each try."""
        with contextlib.suppress(OSError, sqlite3.Error):
            # A transaction may fail to answer and yet have become true.
            known = self.manifest.known_paths()
            for file in commit.files:
                if file.path not in known:
                    (self.lake / file.path).unlink(missing_ok=True)

    def _remember(self, commit: Commit) -> None:
        counters = self.counters
        for stream, delta in commit.streams.items():
            assert delta.last_seq >= self._last_seqs.get(stream, 0)
            self._last_seqs[stream] = delta.last_seq
            counters.messages += delta.messages
            counters.duplicates += delta.duplicates
            counters.records += delta.records
            counters.rows += delta.rows
            counters.rejected += delta.rejected
        counters.gaps += sum(gap.last_seq - gap.first_seq + 1 for gap in commit.gaps) - len(commit.filled)
        if commit.gaps or commit.filled:
            self._missing = self.manifest.missing()
        counters.files += len(commit.files)
        counters.commits += 1
        self.newest_lags = [(lag_s, rows) for _, lag_s, rows in commit.freshness]
