"""The manifest as its only writer sees it: what was written, read and counted becomes true in one transaction.

A commit holds the file rows, the bus positions, the last seq of each stream, the gaps, and the freshness of the rows;
so after a crash at any moment either all of it is there or none, and what is read again is skipped by its seq.
`synchronous=FULL`: the bus is told to forget what was committed, so a commit must outlive a power cut.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gatewatch.database.opening import open_database
from gatewatch.database.transaction import transaction
from ingest.manifest import Gap
from ingest.manifest_layout import KIND

#: How long the freshness of commits is kept.
FRESHNESS_KEEP_S = 3 * 3600



@dataclass(frozen=True, slots=True, kw_only=True)
class LakeFile:
    """A file that is on disk, whole.  `path` is relative to the lake; `slot` names what compaction may merge it with
    (its folder); the time bounds are epoch milliseconds, None when rows have no time."""

    path: str
    table: str
    slot: str
    rows: int
    bytes: int
    min_ms: int | None
    max_ms: int | None


@dataclass(slots=True, kw_only=True)
class StreamDelta:
    """What a commit adds to a stream's counts; `last_seq` is where it stands afterwards."""

    messages: int = 0
    records: int = 0
    rows: int = 0
    rejected: int = 0
    duplicates: int = 0
    last_seq: int = 0


@dataclass(slots=True, kw_only=True)
class Commit:
    """All that becomes true at once.  `streams` is by (origin, topic); `freshness` is (table, lag_s, rows).

    `filled` are messages (origin, topic, seq) of gaps, older ones or of this commit, that came after all.
    """

    at_s: float
    files: list[LakeFile] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    streams: dict[tuple[str, str], StreamDelta] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    filled: list[tuple[str, str, int]] = field(default_factory=list)
    freshness: list[tuple[str, float, int]] = field(default_factory=list)


class ManifestWriter:
    """One connection to the manifest, made if need be (`BadDatabase`).  For one thread at a time; two writers take
    turns."""

    def __init__(self, path: Path) -> None:
        self._connection = open_database(path, KIND)
        self.made_at_s: float = self._connection.execute("select made_at_s from identity").fetchone()[0]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def commit(self, commit: Commit) -> None:
        """Make it all true."""
        for delta in commit.streams.values():
            assert min(delta.messages, delta.records, delta.rows, delta.rejected, delta.duplicates, delta.last_seq) >= 0
        assert all(gap.first_seq <= gap.last_seq for gap in commit.gaps)
        with transaction(self._connection) as connection:
            self._add_files(connection, commit.files, commit.at_s)
            connection.executemany(
                "insert into positions values (?, ?) on conflict do update set next_offset = excluded.next_offset",
                list(commit.positions.items()),
            )
            _add_streams(connection, commit.streams)
            connection.executemany(
                "insert into gaps values (?, ?, ?, ?, ?)",
                [(gap.origin, gap.topic, gap.first_seq, gap.last_seq, gap.seen_at_s) for gap in commit.gaps],
            )
            _fill_gaps(connection, commit.filled)
            connection.executemany(
                "insert into freshness values (?, ?, ?, ?)", [(commit.at_s, *entry) for entry in commit.freshness]
            )
            connection.execute("delete from freshness where committed_at_s < ?", (commit.at_s - FRESHNESS_KEEP_S,))

    def last_seqs(self) -> dict[tuple[str, str], int]:
        """The last seq in the lake, by (origin, topic)."""
        rows = self._connection.execute("select origin, topic, last_seq from streams").fetchall()
        return {(origin, topic): last_seq for origin, topic, last_seq in rows}

    def missing(self) -> dict[tuple[str, str], list[tuple[int, int]]]:
        """First and last seq of every gap, by (origin, topic)."""
        found: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for origin, topic, first_seq, last_seq in self._connection.execute(
            "select origin, topic, first_seq, last_seq from gaps order by first_seq"
        ):
            found.setdefault((origin, topic), []).append((first_seq, last_seq))
        return found

    def swap(self, old: Sequence[LakeFile], new: LakeFile, at_s: float) -> None:
        """Replace files by one that holds the same rows; `ValueError` if it does not, or if one is gone already."""
        if sum(file.rows for file in old) != new.rows:
            raise ValueError(f"{new.path} has {new.rows} rows, the files it replaces {sum(file.rows for file in old)}")
        with transaction(self._connection) as connection:
            for file in old:
                changed = connection.execute(
                    "update files set dropped_at_s = ? where path = ? and dropped_at_s is null", (at_s, file.path)
                ).rowcount
                if changed != 1:
                    raise ValueError(f"{file.path} is not a live file of the manifest")
            self._add_files(connection, [new], at_s)

    def crowded_slots(
        self, files_min: int, *, bytes_max: int, rows_max: int, quiet_since_s: float
    ) -> list[tuple[str, str, int]]:
        """(table, slot, small files) of the slots to merge, worst first.

        Small is a live file below both limits.  A slot has at least `files_min` of them, or two, and nothing of it was
        written since `quiet_since_s` (epoch seconds).
        """
        rows = self._connection.execute(
            "select table_name, slot, sum(bytes < ? and rows < ?) as small from files where dropped_at_s is null"
            " group by table_name, slot having small >= ? or (small >= 2 and max(added_at_s) < ?) order by 3 desc",
            (bytes_max, rows_max, files_min, quiet_since_s),
        )
        return rows.fetchall()

    def small_files(self, table: str, slot: str, *, bytes_max: int, rows_max: int) -> list[LakeFile]:
        """The slot's live files below both limits, smallest first."""
        rows = self._connection.execute(
            "select path, table_name, slot, rows, bytes, min_ms, max_ms from files"
            " where table_name = ? and slot = ? and dropped_at_s is null and bytes < ? and rows < ? order by bytes, path",
            (table, slot, bytes_max, rows_max),
        )
        names = ("path", "table", "slot", "rows", "bytes", "min_ms", "max_ms")
        return [LakeFile(**dict(zip(names, row, strict=True))) for row in rows]

    def dropped_before(self, time_s: float) -> list[str]:
        """Paths of files replaced before then."""
        rows = self._connection.execute("select path from files where dropped_at_s < ?", (time_s,))
        return [row[0] for row in rows]

    def forget(self, paths: Sequence[str]) -> None:
        """Delete the rows of dropped files, once they are off the disk."""
        with transaction(self._connection) as connection:
            connection.executemany(
                "delete from files where path = ? and dropped_at_s is not null", [(path,) for path in paths]
            )

    def known_paths(self) -> set[str]:
        """Every path the manifest has, live or dropped."""
        return {row[0] for row in self._connection.execute("select path from files")}

    def _add_files(self, connection: sqlite3.Connection, files: Sequence[LakeFile], at_s: float) -> None:
        connection.executemany(
            "insert into files values (?, ?, ?, ?, ?, ?, ?, ?, null)",
            [(f.path, f.table, f.slot, f.rows, f.bytes, f.min_ms, f.max_ms, at_s) for f in files],
        )


def _fill_gaps(connection: sqlite3.Connection, filled: Sequence[tuple[str, str, int]]) -> None:
    """Take each message out of its gap, of which nothing, one part or two remain."""
    for origin, topic, seq in filled:
        number, first_seq, last_seq, seen_at_s = connection.execute(
            "select rowid, first_seq, last_seq, seen_at_s from gaps"
            " where origin = ? and topic = ? and ? between first_seq and last_seq", (origin, topic, seq)
        ).fetchone()
        connection.execute("delete from gaps where rowid = ?", (number,))
        connection.executemany("insert into gaps values (?, ?, ?, ?, ?)", [
            (origin, topic, first, last, seen_at_s)
            for first, last in ((first_seq, seq - 1), (seq + 1, last_seq)) if first <= last
        ])


def _add_streams(connection: sqlite3.Connection, streams: Mapping[tuple[str, str], StreamDelta]) -> None:
    connection.executemany(
        "insert into streams values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do update set"
        " messages = messages + excluded.messages, records = records + excluded.records, rows = rows + excluded.rows,"
        " rejected = rejected + excluded.rejected, duplicates = duplicates + excluded.duplicates,"
        " last_seq = max(last_seq, excluded.last_seq)",
        [
            (origin, topic, d.messages, d.records, d.rows, d.rejected, d.duplicates, d.last_seq)
            for (origin, topic), d in streams.items()
        ],
    )
