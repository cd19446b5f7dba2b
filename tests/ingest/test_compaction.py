"""Compaction keeps the rows exactly, sorts them, and leaves old files to those who read them."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatewatch.settings import Settings
from ingest import compaction
from ingest.compaction import Compactor
from ingest.manifest import Manifest
from ingest.pipeline import Pipeline
from tests.ingest.flow_messages import HOUR_START_S, body, message


def settings(data: Path) -> Settings:
    return Settings(data=str(data), compact_files_min=4, dropped_file_keep_s=60)


def rows(data: Path, table: str = "flow_logs") -> list[dict[str, object]]:
    files = Manifest.open_for_reading(data).files(table)
    found = pa.concat_tables(pq.read_table(file, partitioning=None) for file in files).to_pylist()
    return sorted(found, key=repr)


def fill(data: Path, files: int) -> Pipeline:
    pipeline = Pipeline(data, clock=lambda: HOUR_START_S + 100.0)
    for seq in range(1, files + 1):
        pipeline.take([message(seq, body((files - seq) * 10, 10) + (b"\nbad" if seq < 4 else b""))])
    return pipeline


def test_a_crowded_hour_becomes_one_sorted_file_with_the_same_rows(tmp_path: Path) -> None:
    pipeline, before = fill(tmp_path, 5), None
    before = rows(tmp_path)
    old = Manifest.open_for_reading(tmp_path).files("flow_logs")
    compactor = Compactor(settings(tmp_path), clock=lambda: 1_000.0)
    compactor.work(pipeline.manifest)
    files = Manifest.open_for_reading(tmp_path).files("flow_logs")
    assert len(files) == 1
    assert files[0].parent == old[0].parent
    assert files[0].name.endswith(".log.parquet")
    assert rows(tmp_path) == before
    sources = pq.read_table(files[0], partitioning=None)["srcaddr"].to_pylist()
    assert sources == sorted(sources)
    assert pq.read_schema(files[0]).equals(pq.read_schema(old[0]))
    assert (compactor.counters.merges, compactor.counters.files_merged, compactor.counters.rows_merged) == (1, 5, 50)
    # The three files of rejects are fewer than four.
    assert len(Manifest.open_for_reading(tmp_path).files("rejects")) == 3
    assert all(path.exists() for path in old)
    pipeline.close()


def test_replaced_files_leave_the_disk_after_their_time(tmp_path: Path) -> None:
    pipeline = fill(tmp_path, 4)
    old = Manifest.open_for_reading(tmp_path).files("flow_logs")
    now_s = [1_000.0]
    compactor = Compactor(settings(tmp_path), clock=lambda: now_s[0])
    for now_s[0], there in ((1_000.0, True), (1_059.0, True), (1_061.0, False)):
        compactor.work(pipeline.manifest)
        assert {path.exists() for path in old} == {there}
    assert compactor.counters.files_deleted == 4
    assert len(pipeline.manifest.known_paths()) == 1 + 3
    pipeline.close()


def test_an_hour_with_few_files_is_left_alone(tmp_path: Path) -> None:
    pipeline = fill(tmp_path, 3)
    compactor = Compactor(settings(tmp_path), clock=lambda: HOUR_START_S + 200.0)
    compactor.work(pipeline.manifest)
    assert compactor.counters.merges == 0
    pipeline.close()


def test_a_merge_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "MERGE_ROWS_MAX", 30)
    pipeline = fill(tmp_path, 5)
    before = rows(tmp_path)
    Compactor(settings(tmp_path)).work(pipeline.manifest)
    assert len(Manifest.open_for_reading(tmp_path).files("flow_logs")) == 3
    assert rows(tmp_path) == before
    pipeline.close()


def test_a_crash_before_the_swap_changes_nothing_for_readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = fill(tmp_path, 4)
    before = Manifest.open_for_reading(tmp_path).files("flow_logs")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(pipeline.manifest), "swap", die)
    with pytest.raises(KeyboardInterrupt):
        Compactor(settings(tmp_path)).work(pipeline.manifest)
    assert Manifest.open_for_reading(tmp_path).files("flow_logs") == before
    pipeline.close()


def on_disk(data: Path) -> set[Path]:
    return set((data / "lake").rglob("*.parquet"))


def test_a_quiet_hour_becomes_one_file_however_few_it_has(tmp_path: Path) -> None:
    pipeline = fill(tmp_path, 3)
    before, now_s = rows(tmp_path), [HOUR_START_S + 100.0 + 1_800.0]
    compactor = Compactor(settings(tmp_path), clock=lambda: now_s[0])
    compactor.work(pipeline.manifest)
    assert compactor.counters.merges == 0
    now_s[0] += 1.0
    for _ in range(3):
        compactor.work(pipeline.manifest)
    assert compactor.counters.merges == 2
    manifest = Manifest.open_for_reading(tmp_path)
    assert [len(manifest.files(table)) for table in ("flow_logs", "rejects")] == [1, 1]
    assert rows(tmp_path) == before
    pipeline.close()


def test_an_hour_that_cannot_be_merged_holds_up_no_other_and_no_deletion(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, clock=lambda: HOUR_START_S + 100.0)
    for seq in range(1, 10):
        # Five files of one hour, which comes first, and four of the next.
        pipeline.take([message(seq, body(0, 10, HOUR_START_S + (3_600 if seq > 5 else 0)))])
    first = Manifest.open_for_reading(tmp_path).files("flow_logs", end_s=HOUR_START_S + 3_600)
    damaged = first[2].read_bytes()
    first[2].write_bytes(damaged[:len(damaged) // 2])
    now_s, steady_s = [1_000.0], [0.0]
    compactor = Compactor(settings(tmp_path), clock=lambda: now_s[0], steady_clock=lambda: steady_s[0])
    compactor.work(pipeline.manifest)
    assert (compactor.counters.merges, compactor.errors) == (1, 1)
    assert first[0].parent.name in compactor.last_error
    now_s[0] += 100.0
    compactor.work(pipeline.manifest)
    assert (compactor.counters.files_deleted, compactor.errors) == (4, 1)
    # Repaired, it is merged once its time to be left alone is over.
    first[2].write_bytes(damaged)
    steady_s[0] = compaction.SET_ASIDE_S
    compactor.work(pipeline.manifest)
    assert (compactor.counters.merges, compactor.errors) == (2, 1)
    pipeline.close()


def test_a_swap_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = fill(tmp_path, 4)
    before = on_disk(tmp_path)

    def locked(*_: object) -> None:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(type(pipeline.manifest), "swap", locked)
    compactor = Compactor(settings(tmp_path), clock=lambda: HOUR_START_S + 200.0)
    compactor.work(pipeline.manifest)
    assert compactor.errors == 1
    assert on_disk(tmp_path) == before
    pipeline.close()


def test_files_nobody_knows_are_searched_for_again_and_again(tmp_path: Path) -> None:
    pipeline, steady_s = fill(tmp_path, 1), [0.0]
    pipeline.manifest.made_at_s = 0.0
    before = on_disk(tmp_path)
    compactor = Compactor(settings(tmp_path), steady_clock=lambda: steady_s[0], writing=pipeline.writing)
    for number, steady_s[0] in enumerate((3_599.0, 3_600.0, 7_199.0, 7_200.0)):
        orphan = next(iter(before)).with_name(f"orphan{number}.parquet")
        orphan.write_bytes(b"")
        os.utime(orphan, (1_000, 1_000))
        compactor.work(pipeline.manifest)
        assert orphan.exists() == (number % 2 == 0)
    assert on_disk(tmp_path) == before
    assert compactor.counters.orphans_deleted == 4
    pipeline.close()
