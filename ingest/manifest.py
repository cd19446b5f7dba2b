"""The manifest as readers see it: which files make up each table now, and how far each stream has come.

A file exists for readers only once its row is here.  Each question is answered from one SQLite read transaction, so it
is one consistent snapshot; a file in an answer stays on disk for `dropped_file_keep_s` after compaction replaced it.
Before `ingest` has run for the first time every answer is empty.  The writing side is `ingest/manifest_writer.py`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatewatch.database.read_only import read_only
from ingest.manifest_layout import KIND

BUSY_TIMEOUT_S = 10.0
LAKE = "lake"
MANIFEST = "manifest.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What ingest had of one origin and topic: records = rows + rejected unless a header's count was wrong.

    `duplicates` are messages skipped because they were there already; `gaps` is the number of messages missing
    (`Manifest.gaps` says which).  A stream without origin is of a producer that is not gatewatch, and has no seq.
    """

    origin: str
    topic: str
    messages: int
    records: int
    rows: int
    rejected: int
    duplicates: int
    last_seq: int
    gaps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Messages of a stream, first to last seq, that are missing; `seen_at_s` (epoch seconds) is when that showed.

    Messages that come after all are taken out of it.
    """

    origin: str
    topic: str
    first_seq: int
    last_seq: int
    seen_at_s: float


class Manifest:
    """Questions to the manifest.  Holds no connection, so it may be shared between threads and kept for ever."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lake = (path.parent / LAKE).absolute()

    @classmethod
    def open_for_reading(cls, path: Path) -> Manifest:
        """The manifest at `path` (`DATA/manifest.sqlite`, or DATA itself); it need not exist yet."""
        return cls(path / MANIFEST if path.is_dir() else path)

    def files(self, table: str, *, start_s: float | None = None, end_s: float | None = None) -> list[Path]:
        """Absolute paths of the table's files that may hold rows with start_s <= time < end_s (epoch seconds)."""
        rows = self._rows(
            "select path from files where table_name = ? and dropped_at_s is null"
            " and (max_ms is null or ? is null or max_ms >= ?) and (min_ms is null or ? is null or min_ms < ?)"
            " order by added_at_s, path",
            (table, *_twice_ms(start_s), *_twice_ms(end_s)),
        )
        return [self._lake / row[0] for row in rows]

    def row_count(self, table: str) -> int:
        """How many rows the table has."""
        rows = self._rows(
            "select coalesce(sum(rows), 0) from files where table_name = ? and dropped_at_s is null", (table,)
        )
        return int(rows[0][0]) if rows else 0

    def streams(self) -> list[Stream]:
        """Every stream, by origin and topic."""
        rows = self._rows(
            "select s.origin, s.topic, messages, records, rows, rejected, duplicates, s.last_seq,"
            " coalesce((select sum(g.last_seq - g.first_seq + 1) from gaps g"
            "  where g.origin = s.origin and g.topic = s.topic), 0)"
            " from streams s order by s.origin, s.topic"
        )
        names = ("origin", "topic", "messages", "records", "rows", "rejected", "duplicates", "last_seq", "gaps")
        return [Stream(**dict(zip(names, row, strict=True))) for row in rows]

    def gaps(self) -> list[Gap]:
        """Every gap, the newest last."""
        names = ("origin", "topic", "first_seq", "last_seq", "seen_at_s")
        rows = self._rows(f"select {', '.join(names)} from gaps order by seen_at_s, first_seq")
        return [Gap(**dict(zip(names, row, strict=True))) for row in rows]

    def freshness(self, table: str, since_s: float) -> list[tuple[float, int]]:
        """(lag, rows) of the table's commits since then: how old rows were, in seconds, when they became readable."""
        rows = self._rows(
            "select lag_s, sum(rows) from freshness where table_name = ? and committed_at_s >= ?"
            " group by lag_s order by lag_s",
            (table, since_s),
        )
        return [(float(lag_s), int(count)) for lag_s, count in rows]

    def positions(self) -> dict[str, int]:
        """The next offset wanted of each partition of the bus."""
        return dict(self._rows("select partition, next_offset from positions"))

    def _rows(self, question: str, values: Sequence[Any] = ()) -> list[Any]:
        if not self._path.exists():
            return []
        try:
            with read_only(self._path, KIND) as connection:
                return connection.execute(question, values).fetchall()
        except sqlite3.OperationalError as error:
            # Ingest is just making it: the file is there, its tables are not.
            if "no such table" in str(error):
                return []
            raise


def _twice_ms(time_s: float | None) -> tuple[int | None, int | None]:
    time_ms = None if time_s is None else round(time_s * 1000)
    return time_ms, time_ms
