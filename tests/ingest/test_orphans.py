"""Files that no commit names go once they are old; everything else stays."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from ingest import orphans
from ingest.manifest import MANIFEST, Manifest
from ingest.manifest_writer import Commit, ManifestWriter
from ingest.orphans import Found
from ingest.pipeline import Pipeline
from tests.ingest.flow_messages import body, message


def test_old_unknown_files_are_deleted_and_nothing_else(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.take([message(1, body(0, 1))])
    known = Manifest.open_for_reading(tmp_path).files("flow_logs")[0]
    old, temporary, young = known.with_name("old.parquet"), known.with_name(".half.log.parquet"), known.with_name("young.parquet")
    note = pipeline.lake / "README"
    for path in (old, temporary, young, note):
        path.write_text("x", encoding="utf-8")
    for path in (known, old, temporary, note):
        os.utime(path, (1_000, 1_000))
    pipeline.manifest.made_at_s = 1_000.0
    assert orphans.delete(pipeline.lake, pipeline.manifest, 2_000, pipeline.writing) == Found(deleted=2, strange=0)
    assert {path for path in (known, old, temporary, young, note) if path.exists()} == {known, young, note}
    pipeline.close()


def test_a_lake_whose_manifest_was_lost_is_kept(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.take([message(1, body(0, 1))])
    pipeline.close()
    [lost] = Manifest.open_for_reading(tmp_path).files("flow_logs")
    os.utime(lost, (time.time() - 1_000, time.time() - 1_000))
    for path in tmp_path.glob(f"{MANIFEST}*"):
        path.unlink()
    anew = Pipeline(tmp_path)
    anew.take([message(1, body(0, 1))])
    assert orphans.delete(anew.lake, anew.manifest, time.time() - 900, anew.writing) == Found(deleted=0, strange=1)
    assert lost.exists()
    anew.close()


def test_of_a_manifest_that_does_not_tell_its_age_every_unknown_file_is_an_orphan(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    pipeline.take([message(1, body(0, 1))])
    pipeline.close()
    with closing(sqlite3.connect(tmp_path / MANIFEST)) as older:
        older.executescript("drop table identity; pragma user_version = 1")
    again = ManifestWriter(tmp_path / MANIFEST)
    assert again.made_at_s == 0.0
    assert len(again.known_paths()) == 1
    again.close()


def test_a_file_that_is_about_to_be_published_stays_however_old_the_clock_says_it_is(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    commit, deleted = pipeline.manifest.commit, []

    def slow(what: Commit) -> None:
        with ThreadPoolExecutor() as other:
            # All files are old in an hour: the search finds this one and must wait for the manifest to know it.
            search = other.submit(orphans.delete, pipeline.lake, other_writer, time.time() + 3_600, Waiting(pipeline, commit, what))
            deleted.append(search.result())

    other_writer = ManifestWriter(tmp_path / MANIFEST)
    pipeline.manifest.commit = slow  # type: ignore[method-assign]
    pipeline.take([message(1, body(0, 1))])
    assert deleted == [Found(deleted=0, strange=0)]
    assert [path.exists() for path in Manifest.open_for_reading(tmp_path).files("flow_logs")] == [True]
    other_writer.close()
    pipeline.close()


class Waiting:
    """Stands for the pipeline's lock: held until the commit is through, then free."""

    def __init__(self, pipeline: Pipeline, commit: Callable[[Commit], None], what: Commit) -> None:
        self._pipeline, self._commit, self._what = pipeline, commit, what

    def __enter__(self) -> None:
        assert self._pipeline.writing.locked()
        self._commit(self._what)

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""
