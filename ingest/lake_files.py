"""Writing rows as files of the lake: split by hour (flow logs also by account and region), whole or not at all.

A file is written under a name that readers and Hive skip (a leading dot), synced, and renamed; its folder is synced
too.  It counts only when the manifest has it, so a crash leaves at most a file that `ingest/orphans.py` deletes.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gatewatch.records.tables import FLOW_LOGS, Table
from ingest import layout
from ingest.manifest_writer import LakeFile

TEMPORARY_PREFIX = "."
_HOUR_MS = layout.HOUR_S * 1000


@dataclass(frozen=True, slots=True)
class _Slot:
    """Rows that share a folder."""

    folder: str
    account_id: str | None
    region: str | None
    hour: int
    rows: pa.Table


def times_ms(table: Table, rows: pa.Table) -> pa.ChunkedArray:
    """The rows' times as epoch milliseconds, null where a row has none."""
    column = rows.column(table.time_column)
    if table is FLOW_LOGS:
        # A record without `start` (a format may leave it out) is placed by its `end`.
        return pc.multiply(pc.coalesce(column, rows.column("end")), 1000)
    return column.cast(pa.int64())


def write(lake: Path, table: Table, rows: pa.Table, now_s: float) -> Iterator[LakeFile]:
    """Write rows (of the table's schema, any order) to as many files as they have hours, a file each time the caller
    asks for the next; rows without time go to the hour of `now_s`."""
    for slot in _slots(table, rows, int(now_s // layout.HOUR_S)):
        yield write_file(lake, table, slot.folder, _file_name(table, slot, now_s), slot.rows)


def write_file(lake: Path, table: Table, folder: str, name: str, rows: pa.Table) -> LakeFile:
    """Write one file, synced, and say what is in it."""
    path = lake / folder / name
    _make_folder(path.parent)
    temporary = path.with_name(TEMPORARY_PREFIX + name)
    try:
        size = _write_synced(temporary, rows)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    bounds = pc.min_max(times_ms(table, rows)).as_py()
    assert rows.num_rows > 0, "a file without rows has no hour"
    return LakeFile(
        path=f"{folder}/{name}", table=table.name, slot=folder, rows=rows.num_rows, bytes=size,
        min_ms=bounds["min"], max_ms=bounds["max"],
    )


def _write_synced(path: Path, rows: pa.Table) -> int:
    with path.open("wb") as file:
        # Readers see plain text columns: without Arrow's schema in the file nobody asks how they were held in memory.
        pq.write_table(rows, file, compression="zstd", compression_level=3, use_dictionary=True, store_schema=False)
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def unique_name() -> str:
    """What keeps two files of the same minute apart."""
    return secrets.token_hex(8)


def _slots(table: Table, rows: pa.Table, now_hour: int) -> Iterator[_Slot]:
    hours = pc.fill_null(pc.divide(times_ms(table, rows), _HOUR_MS), now_hour)
    keys = {"hour": hours}
    if table is FLOW_LOGS:
        keys |= {name: rows.column(name).cast(pa.string()) for name in ("account_id", "region")}
    places = pa.table(keys)
    order = None
    counts = places.group_by(list(keys), use_threads=False).aggregate([([], "count_all")]).to_pylist()
    if len(counts) > 1:
        # Sorting is stable, and groups come out in the order they are first met: slices of the sorted rows.
        order = pc.sort_indices(places, [(name, "ascending") for name in keys])
        rows = rows.take(order)
        counts = places.take(order).group_by(list(keys), use_threads=False).aggregate([([], "count_all")]).to_pylist()
    start = 0
    assert sum(group["count_all"] for group in counts) == rows.num_rows
    for group in counts:
        account_id, region, hour = group.get("account_id"), group.get("region"), group["hour"]
        own = table is FLOW_LOGS
        folder = layout.flow_log_folder(account_id, region, hour) if own else layout.table_folder(table.name, hour)
        yield _Slot(folder, account_id, region, hour, rows.slice(start, group["count_all"]))
        start += group["count_all"]


def _file_name(table: Table, slot: _Slot, now_s: float) -> str:
    first_ms = pc.min(times_ms(table, slot.rows)).as_py()
    first_s = int(now_s) if first_ms is None else first_ms // 1000
    if table is FLOW_LOGS:
        return layout.flow_log_file(slot.account_id, slot.region, first_s, unique_name())
    return layout.table_file(first_s, unique_name())


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
