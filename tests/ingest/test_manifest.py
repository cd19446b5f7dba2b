"""What readers are told: nothing before ingest ran, then consistent answers pruned by time."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ingest.manifest import Gap, Manifest, Stream
from ingest.manifest_writer import Commit, LakeFile, ManifestWriter, StreamDelta


def file(name: str, *, table: str = "metrics", rows: int = 10, min_ms: int | None = 1_000, max_ms: int | None = 1_999) -> LakeFile:
    return LakeFile(path=f"{table}/{name}", table=table, slot=table, rows=rows, bytes=100, min_ms=min_ms, max_ms=max_ms)


def test_before_ingest_ran_every_answer_is_empty(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "manifest.sqlite", tmp_path / "none" / "manifest.sqlite"):
        manifest = Manifest.open_for_reading(path)
        assert manifest.files("metrics") == []
        assert manifest.row_count("metrics") == 0
        assert manifest.streams() == []
        assert manifest.gaps() == []
        assert manifest.freshness("metrics", 0) == []
        assert manifest.positions() == {}


def test_a_manifest_without_tables_yet_is_empty_too(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "manifest.sqlite").close()
    (tmp_path / "manifest.sqlite").touch()
    assert Manifest.open_for_reading(tmp_path).row_count("metrics") == 0


def test_files_are_absolute_and_pruned_by_the_time_of_their_rows(tmp_path: Path) -> None:
    writer = ManifestWriter(tmp_path / "manifest.sqlite")
    writer.commit(Commit(at_s=1, files=[
        file("a"), file("b", min_ms=2_000, max_ms=2_999), file("untimed", min_ms=None, max_ms=None), file("x", table="alarm_events"),
    ]))
    manifest = Manifest.open_for_reading(tmp_path)

    def names(start_s: float | None = None, end_s: float | None = None) -> list[str]:
        return [path.name for path in manifest.files("metrics", start_s=start_s, end_s=end_s)]

    assert manifest.files("metrics")[0] == (tmp_path / "lake" / "metrics" / "a").absolute()
    assert names() == ["a", "b", "untimed"]
    assert names(1.999, 2.0) == ["a", "untimed"]
    assert names(2.0, 2.001) == ["b", "untimed"]
    assert names(3.0) == ["untimed"]
    assert names(None, 1.0) == ["untimed"]
    assert manifest.row_count("metrics") == 30
    writer.close()


def test_streams_gaps_freshness_and_positions_are_what_was_committed(tmp_path: Path) -> None:
    writer = ManifestWriter(tmp_path / "manifest.sqlite")
    gap = Gap(origin="a.1", topic="t", first_seq=3, last_seq=5, seen_at_s=7.0)
    writer.commit(Commit(
        at_s=100, positions={"t:0": 9}, gaps=[gap],
        streams={("a.1", "t"): StreamDelta(messages=2, records=20, rows=19, rejected=1, duplicates=4, last_seq=6)},
        freshness=[("metrics", 0.5, 10), ("metrics", 1.5, 2), ("alarm_events", 9.0, 1)],
    ))
    writer.commit(Commit(at_s=200, streams={("a.1", "t"): StreamDelta(messages=1, records=1, rows=1, last_seq=7)},
                         freshness=[("metrics", 0.5, 3)]))
    manifest = Manifest.open_for_reading(tmp_path)
    assert manifest.streams() == [Stream(
        origin="a.1", topic="t", messages=3, records=21, rows=20, rejected=1, duplicates=4, last_seq=7, gaps=3
    )]
    assert manifest.gaps() == [gap]
    assert manifest.freshness("metrics", 0) == [(0.5, 13), (1.5, 2)]
    assert manifest.freshness("metrics", 150) == [(0.5, 3)]
    assert manifest.positions() == {"t:0": 9}
    writer.close()


def test_a_reader_does_not_need_the_writer_to_be_there(tmp_path: Path) -> None:
    writer = ManifestWriter(tmp_path / "manifest.sqlite")
    writer.commit(Commit(at_s=1, files=[file("a")]))
    writer.close()
    assert Manifest.open_for_reading(tmp_path).row_count("metrics") == 10
