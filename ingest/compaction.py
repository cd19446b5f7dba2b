"""Many small files of an hour into one, sorted, swapped in one transaction; and what is no longer needed off the disk.

An hour is merged when it has `compact_files_min` small files, and once more when nothing was written for it in
`compact_quiet_s`.  Runs in a thread of its own, since a merge may take seconds and commits must not wait.  Bounded: a
merge reads at most `MERGE_ROWS_MAX` rows, and files of `SMALL_BYTES` or half as many rows are left alone, so a row is
rewritten a few times at most, and any two small files can be merged.  Sorting by addresses brings a flow record from
about 20 to 13 bytes.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import structlog

from gatewatch.records.tables import FLOW_LOGS, TABLES, Table
from gatewatch.repeated_error import RepeatedError
from gatewatch.settings import Settings
from ingest import lake_files, orphans
from ingest.manifest import LAKE, MANIFEST
from ingest.manifest_writer import LakeFile, ManifestWriter

SMALL_BYTES = 32 << 20
MERGE_ROWS_MAX = 2_000_000
LOOK_S = 2.0
#: Merges made before replaced files are looked at again.
MERGES_MAX = 50
#: How long an hour that could not be merged (a damaged file) is left alone.
SET_ASIDE_S = 300.0

_log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class Counters:
    """What compaction did since the service started."""

    merges: int = 0
    files_merged: int = 0
    rows_merged: int = 0
    files_deleted: int = 0
    orphans_deleted: int = 0


class Compactor:
    """Looks for crowded hours every `LOOK_S` seconds until stopped."""

    def __init__(
        self, settings: Settings, *, clock: Callable[[], float] = time.time,
        steady_clock: Callable[[], float] = time.monotonic, writing: AbstractContextManager[Any] | None = None,
    ) -> None:
        """`writing` is held by whoever else writes files while the manifest does not know them yet."""
        self._settings = settings
        self._data = settings.data_path
        self._clock = clock
        self._steady_clock = steady_clock
        self._writing = writing or nullcontext()
        self._orphans_at_s = steady_clock() + settings.orphan_look_s
        #: Hours that could not be merged, and until when they are left alone.
        self._set_aside: dict[tuple[str, str], float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="compaction", daemon=True)
        self.counters = Counters()
        self.errors = 0
        self.last_error = ""
        self._repeated = RepeatedError(_log)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the merge at hand."""
        self._stop.set()
        self._thread.join()

    def work(self, manifest: ManifestWriter) -> None:
        """Merge what is to be merged, each hour once, then delete what nobody needs any more."""
        for table, slot in self._slots(manifest)[:MERGES_MAX]:
            if self._stop.is_set():
                return
            try:
                self._merge(manifest, TABLES[table], slot)
                # A merge takes a hundred times the memory of a commit; kept, it would be the service's for good.
                pa.default_memory_pool().release_unused()
            except (OSError, ValueError, sqlite3.Error, pa.ArrowException) as error:
                # The other hours must not wait for this one, and the disk must not fill with what they replaced.
                self._set_aside[table, slot] = self._steady_clock() + SET_ASIDE_S
                self._failed(f"{slot} was not merged", error)
        self._delete_dropped(manifest)
        self._delete_orphans(manifest)

    def _slots(self, manifest: ManifestWriter) -> list[tuple[str, str]]:
        found = manifest.crowded_slots(
            self._settings.compact_files_min, bytes_max=SMALL_BYTES, rows_max=MERGE_ROWS_MAX // 2,
            quiet_since_s=self._clock() - self._settings.compact_quiet_s,
        )
        now_s = self._steady_clock()
        self._set_aside = {slot: until_s for slot, until_s in self._set_aside.items() if until_s > now_s}
        return [(table, slot) for table, slot, _ in found if (table, slot) not in self._set_aside]

    def _run(self) -> None:
        manifest = ManifestWriter(self._data / MANIFEST)
        try:
            while not self._stop.wait(LOOK_S):
                try:
                    self.work(manifest)
                # The thread's outermost loop: small files are a nuisance, not a reason to stop.
                except Exception as error:
                    self._failed("compaction failed", error)
        finally:
            manifest.close()

    def _failed(self, what: str, error: Exception) -> None:
        self.errors += 1
        self.last_error = f"{what}: {type(error).__name__}: {error}"
        self._repeated.exception(what, error=str(error))

    def _merge(self, manifest: ManifestWriter, table: Table, slot: str) -> None:
        old = _bounded(
            manifest.small_files(table.name, slot, bytes_max=SMALL_BYTES, rows_max=MERGE_ROWS_MAX // 2)
        )
        if len(old) < 2:
            return
        lake = self._data / LAKE
        rows = _sorted(table, pa.concat_tables(
            # A file of an older version lacks the table's newest column.
            [_read(table, lake / file.path) for file in old], promote_options="default"))
        new = lake_files.write_file(lake, table, slot, _merged_name(old), rows)
        try:
            manifest.swap(old, new, self._clock())
        except BaseException:
            # The next attempt writes a file of its own.
            _take_back(lake, manifest, new)
            raise
        self.counters.merges += 1
        self.counters.files_merged += len(old)
        self.counters.rows_merged += new.rows

    def _delete_dropped(self, manifest: ManifestWriter) -> None:
        paths = manifest.dropped_before(self._clock() - self._settings.dropped_file_keep_s)
        for path in paths:
            (self._data / LAKE / path).unlink(missing_ok=True)
        if paths:
            manifest.forget(paths)
            self.counters.files_deleted += len(paths)

    def _delete_orphans(self, manifest: ManifestWriter) -> None:
        if self._steady_clock() < self._orphans_at_s:
            return
        self._orphans_at_s = self._steady_clock() + self._settings.orphan_look_s
        before_s = self._clock() - self._settings.orphan_age_s
        found = orphans.delete(self._data / LAKE, manifest, before_s, self._writing)
        self.counters.orphans_deleted += found.deleted


def _take_back(lake: Path, manifest: ManifestWriter, file: LakeFile) -> None:
    with contextlib.suppress(OSError, sqlite3.Error):
        # A transaction may fail to answer and yet have become true.
        if file.path not in manifest.known_paths():
            (lake / file.path).unlink(missing_ok=True)


def _bounded(files: list[LakeFile]) -> list[LakeFile]:
    chosen, rows = [], 0
    for file in files:
        rows += file.rows
        if rows > MERGE_ROWS_MAX:
            break
        chosen.append(file)
    return chosen


def _read(table: Table, path: object) -> pa.Table:
    texts = [field.name for field in table.schema if pa.types.is_string(field.type)] if table is FLOW_LOGS else None
    return pq.read_table(path, schema=None, read_dictionary=texts, partitioning=None, use_threads=False)


def _sorted(table: Table, rows: pa.Table) -> pa.Table:
    names = ["srcaddr", "dstaddr", "start"] if table is FLOW_LOGS else [table.time_column]
    if table.since_column is not None and table.since_column in rows.column_names:
        names.append(table.since_column)
    plain = pa.table({name: _plain(rows.column(name)) for name in names})
    order = pc.sort_indices(plain, [(name, "ascending") for name in names])
    assert len(order) == rows.num_rows
    return rows.unify_dictionaries().take(order)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _merged_name(old: list[LakeFile]) -> str:
    """The name of the earliest of them, under a new unique part."""
    name = min(file.path.rsplit("/", 1)[1] for file in old)
    stem, _, rest = name.rpartition("_")
    return f"{stem}_{lake_files.unique_name()}{rest[rest.index('.'):]}"
