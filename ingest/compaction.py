"""Many small files of an hour into one, sorted, swapped in one transaction; and the old ones off the disk later.

Runs in a thread of its own, since a merge may take seconds and commits must not wait.  Bounded: a merge reads at most
`MERGE_ROWS_MAX` rows, and files of `SMALL_BYTES` or more are left alone, so a row is rewritten a few times at most.
Sorting by addresses brings a flow record from about 20 to 13 bytes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import structlog

from gatewatch.records.tables import FLOW_LOGS, TABLES, Table
from gatewatch.settings import Settings
from ingest import lake_files
from ingest.manifest import LAKE, MANIFEST
from ingest.manifest_writer import LakeFile, ManifestWriter

SMALL_BYTES = 32 << 20
MERGE_ROWS_MAX = 2_000_000
LOOK_S = 2.0

_log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class Counters:
    """What compaction did since the service started."""

    merges: int = 0
    files_merged: int = 0
    rows_merged: int = 0
    files_deleted: int = 0


class Compactor:
    """Looks for crowded hours every `LOOK_S` seconds until stopped."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
        self._data = settings.data_path
        self._files_min = settings.compact_files_min
        self._keep_s = settings.dropped_file_keep_s
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="compaction", daemon=True)
        self.counters = Counters()
        self.errors = 0
        self.last_error = ""

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the merge at hand."""
        self._stop.set()
        self._thread.join()

    def work(self, manifest: ManifestWriter) -> None:
        """Merge each crowded hour once, then delete what was replaced long enough ago."""
        for table, slot, _ in manifest.crowded_slots(self._files_min, SMALL_BYTES):
            if self._stop.is_set():
                return
            self._merge(manifest, TABLES[table], slot)
        self._delete_dropped(manifest)

    def _run(self) -> None:
        manifest = ManifestWriter(self._data / MANIFEST)
        try:
            while not self._stop.wait(LOOK_S):
                try:
                    self.work(manifest)
                # The thread's outermost loop: small files are a nuisance, not a reason to stop.
                except Exception as error:
                    self.errors += 1
                    self.last_error = f"compaction failed: {type(error).__name__}: {error}"
                    _log.error("compaction failed", exc_info=error)
        finally:
            manifest.close()

    def _merge(self, manifest: ManifestWriter, table: Table, slot: str) -> None:
        old = _bounded(manifest.live_files(table.name, slot, SMALL_BYTES))
        if len(old) < 2:
            return
        lake = self._data / LAKE
        rows = _sorted(table, pa.concat_tables([_read(table, lake / file.path) for file in old]))
        new = lake_files.write_file(lake, table, slot, _merged_name(old), rows)
        manifest.swap(old, new, self._clock())
        self.counters.merges += 1
        self.counters.files_merged += len(old)
        self.counters.rows_merged += new.rows

    def _delete_dropped(self, manifest: ManifestWriter) -> None:
        paths = manifest.dropped_before(self._clock() - self._keep_s)
        for path in paths:
            (self._data / LAKE / path).unlink(missing_ok=True)
        if paths:
            manifest.forget(paths)
            self.counters.files_deleted += len(paths)


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
    plain = pa.table({name: _plain(rows.column(name)) for name in names})
    return rows.unify_dictionaries().take(pc.sort_indices(plain, [(name, "ascending") for name in names]))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _merged_name(old: list[LakeFile]) -> str:
    """The name of the earliest of them, under a new unique part."""
    name = min(file.path.rsplit("/", 1)[1] for file in old)
    stem, _, rest = name.rpartition("_")
    return f"{stem}_{lake_files.unique_name()}{rest[rest.index('.'):]}"
