"""Commits are all or nothing; swaps keep rows; dropped files are forgotten when they are gone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ingest.manifest import Manifest
from ingest.manifest_writer import FRESHNESS_KEEP_S, Commit, LakeFile, ManifestWriter, StreamDelta


def file(name: str, rows: int = 10, size: int = 100) -> LakeFile:
    return LakeFile(path=f"metrics/{name}", table="metrics", slot="metrics", rows=rows, bytes=size, min_ms=1, max_ms=2)


@pytest.fixture
def writer(tmp_path: Path) -> ManifestWriter:
    return ManifestWriter(tmp_path / "manifest.sqlite")


def test_a_commit_that_fails_changes_nothing(tmp_path: Path, writer: ManifestWriter) -> None:
    writer.commit(Commit(at_s=1, files=[file("a")], positions={"t:0": 1}))
    bad = Commit(at_s=2, files=[file("b"), file("a")], positions={"t:0": 2}, streams={("o", "t"): StreamDelta(last_seq=2)})
    with pytest.raises(sqlite3.IntegrityError):
        writer.commit(bad)
    reader = Manifest.open_for_reading(tmp_path)
    assert (reader.row_count("metrics"), reader.positions(), reader.streams()) == (10, {"t:0": 1}, [])
    assert writer.last_seqs() == {}
    writer.close()


def test_last_seqs_survive_and_never_go_back(tmp_path: Path, writer: ManifestWriter) -> None:
    for last_seq in (5, 3):
        writer.commit(Commit(at_s=1, streams={("o", "t"): StreamDelta(last_seq=last_seq)}))
    writer.close()
    again = ManifestWriter(tmp_path / "manifest.sqlite")
    assert again.last_seqs() == {("o", "t"): 5}
    again.close()


def test_a_swap_replaces_files_in_one_step(tmp_path: Path, writer: ManifestWriter) -> None:
    writer.commit(Commit(at_s=1, files=[file("a"), file("b"), file("c")]))
    writer.swap([file("a"), file("b")], file("ab", rows=20), 5)
    reader = Manifest.open_for_reading(tmp_path)
    assert [path.name for path in reader.files("metrics")] == ["c", "ab"]
    assert reader.row_count("metrics") == 30
    assert writer.dropped_before(5) == []
    assert sorted(writer.dropped_before(6)) == ["metrics/a", "metrics/b"]
    assert writer.known_paths() == {"metrics/a", "metrics/b", "metrics/c", "metrics/ab"}
    writer.forget(["metrics/a", "metrics/c"])
    assert writer.known_paths() == {"metrics/b", "metrics/c", "metrics/ab"}
    writer.close()


@pytest.mark.parametrize(("old", "rows", "match"), [(["a", "b"], 19, "19 rows"), (["a", "gone"], 20, "not a live file")])
def test_a_swap_that_would_change_rows_is_refused(
    tmp_path: Path, writer: ManifestWriter, old: list[str], rows: int, match: str
) -> None:
    writer.commit(Commit(at_s=1, files=[file("a"), file("b")]))
    with pytest.raises(ValueError, match=match):
        writer.swap([file(name) for name in old], file("new", rows=rows), 5)
    assert [path.name for path in Manifest.open_for_reading(tmp_path).files("metrics")] == ["a", "b"]
    writer.close()


def crowded(writer: ManifestWriter, files_min: int, *, quiet_since_s: float = 0.0) -> list[tuple[str, str, int]]:
    return writer.crowded_slots(files_min, bytes_max=1_000, rows_max=50, quiet_since_s=quiet_since_s)


def test_crowded_slots_count_small_live_files(writer: ManifestWriter) -> None:
    small, big = [file("a"), file("b"), file("c", size=5)], [file("large", size=1_000), file("long", rows=50)]
    writer.commit(Commit(at_s=1, files=[*small, *big]))
    assert crowded(writer, 3) == [("metrics", "metrics", 3)]
    assert crowded(writer, 4) == []
    found = writer.small_files("metrics", "metrics", bytes_max=1_000, rows_max=50)
    assert [f.path for f in found] == ["metrics/c", "metrics/a", "metrics/b"]
    writer.close()


def test_a_quiet_slot_is_to_be_merged_however_few_its_files_are(writer: ManifestWriter) -> None:
    writer.commit(Commit(at_s=1, files=[file("a")]))
    assert crowded(writer, 64, quiet_since_s=9) == []
    writer.commit(Commit(at_s=5, files=[file("b")]))
    assert crowded(writer, 64, quiet_since_s=5) == []
    assert crowded(writer, 64, quiet_since_s=5.1) == [("metrics", "metrics", 2)]
    writer.close()


def test_freshness_is_kept_for_a_bounded_time(tmp_path: Path, writer: ManifestWriter) -> None:
    writer.commit(Commit(at_s=100, freshness=[("metrics", 1.0, 1)]))
    writer.commit(Commit(at_s=101 + FRESHNESS_KEEP_S, freshness=[("metrics", 2.0, 1)]))
    assert Manifest.open_for_reading(tmp_path).freshness("metrics", 0) == [(2.0, 1)]
    writer.close()
