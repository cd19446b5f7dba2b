"""A crash between any two steps: the same messages again give every row once."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gatewatch.database.kind import BadDatabase
from gatewatch.records import topics
from ingest import lake_files
from ingest.manifest import Manifest
from ingest.manifest_writer import ManifestWriter
from ingest.pipeline import IngestHeld, Pipeline
from tests.ingest.flow_messages import HOUR_START_S, ORIGIN, body, message

MESSAGES = [message(seq, body(seq * 10, 10)) for seq in (1, 2, 3)]


def numbers(data: Path) -> list[int]:
    """The `bytes` of every row that a reader sees, sorted: the numbers of the records."""
    files = Manifest.open_for_reading(data).files("flow_logs")
    return sorted(n for f in files for n in pq.read_table(f, columns=["bytes"], partitioning=None)["bytes"].to_pylist())


def parquet_files(data: Path) -> int:
    return sum(1 for path in (data / "lake").rglob("*.parquet"))


def test_a_batch_becomes_readable_with_positions_and_freshness(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, clock=lambda: HOUR_START_S + 5.0)
    assert pipeline.take(MESSAGES) == {f"{topics.FLOW_LOGS}:{ORIGIN}": 4}
    manifest = Manifest.open_for_reading(tmp_path)
    assert numbers(tmp_path) == list(range(10, 40))
    assert manifest.positions() == {f"{topics.FLOW_LOGS}:{ORIGIN}": 4}
    assert manifest.freshness("flow_logs", 0) == [(5.0, 30)]
    assert (pipeline.counters.rows, pipeline.counters.files, pipeline.counters.commits) == (30, 1, 1)
    assert pipeline.newest_lags == [(5.0, 30)]
    pipeline.close()


def test_messages_that_come_again_are_skipped_also_by_the_next_process(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.take(MESSAGES[:2])
    pipeline.take(MESSAGES)
    assert pipeline.counters.duplicates == 2
    pipeline.close()
    again = Pipeline(tmp_path)
    again.take(MESSAGES)
    assert again.counters.duplicates == 3
    assert numbers(tmp_path) == list(range(10, 40))
    again.close()


def test_what_comes_late_is_taken_once_and_its_gap_closes(tmp_path: Path) -> None:
    early, late = [message(seq, body(seq * 10, 10)) for seq in (1, 5, 6)], [message(3, body(30, 10))]
    pipeline = Pipeline(tmp_path)
    pipeline.take(early)
    pipeline.take(late)
    assert pipeline.counters.gaps == 2
    pipeline.close()
    again = Pipeline(tmp_path)
    again.take(late)
    again.take([message(seq, body(seq * 10, 10)) for seq in (2, 4)])
    manifest = Manifest.open_for_reading(tmp_path)
    assert numbers(tmp_path) == list(range(10, 70))
    assert manifest.gaps() == []
    assert manifest.streams()[0].duplicates == 1
    again.close()


def test_two_cannot_write_one_lake(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    with pytest.raises(IngestHeld, match=f"process {os.getpid()} already writes the lake of {tmp_path}; stop it first"):
        Pipeline(tmp_path)
    pipeline.close()
    Pipeline(tmp_path).close()


def test_a_crash_between_rename_and_commit_leaves_a_file_that_no_one_sees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline(tmp_path)
    with monkeypatch.context() as crash:
        crash.setattr(ManifestWriter, "commit", _die)
        # A killed process cleans nothing up either.
        crash.setattr(Pipeline, "_take_back", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            pipeline.take(MESSAGES)
    pipeline.close()
    assert parquet_files(tmp_path) == 1
    assert Manifest.open_for_reading(tmp_path).files("flow_logs") == []
    again = Pipeline(tmp_path)
    again.take(MESSAGES)
    assert numbers(tmp_path) == list(range(10, 40))
    assert parquet_files(tmp_path) == 2
    again.close()


def test_a_commit_that_fails_takes_its_files_back_and_may_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline(tmp_path)
    with monkeypatch.context() as failure:
        failure.setattr(ManifestWriter, "commit", _fail)
        with pytest.raises(OSError, match="disk full"):
            pipeline.take(MESSAGES)
    assert parquet_files(tmp_path) == 0
    assert pipeline.counters.rows == 0
    pipeline.take(MESSAGES)
    assert numbers(tmp_path) == list(range(10, 40))
    pipeline.close()


def test_a_commit_that_fails_after_it_became_true_keeps_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline(tmp_path)
    commit = ManifestWriter.commit

    def late(self: ManifestWriter, what: object) -> None:
        commit(self, what)  # type: ignore[arg-type]
        raise OSError("no answer")

    with monkeypatch.context() as failure:
        failure.setattr(ManifestWriter, "commit", late)
        with pytest.raises(OSError, match="no answer"):
            pipeline.take(MESSAGES)
    assert numbers(tmp_path) == list(range(10, 40))
    pipeline.close()


def test_a_crash_while_writing_leaves_only_a_name_that_readers_skip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline(tmp_path)
    with monkeypatch.context() as crash:
        crash.setattr(Path, "replace", _die)
        crash.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            pipeline.take(MESSAGES)
    left = [path.name for path in (tmp_path / "lake").rglob("*.parquet")]
    assert len(left) == 1
    assert left[0].startswith(lake_files.TEMPORARY_PREFIX)
    pipeline.take(MESSAGES)
    assert numbers(tmp_path) == list(range(10, 40))
    pipeline.close()


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def _fail(*_: object) -> None:
    raise OSError("disk full")


def test_a_manifest_that_cannot_be_opened_leaves_the_lake_to_the_next_who_tries(tmp_path: Path) -> None:
    (tmp_path / "manifest.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(BadDatabase, match="move lake/ away with it"):
        Pipeline(tmp_path)
    (tmp_path / "manifest.sqlite").unlink()
    Pipeline(tmp_path).close()
