"""Files that no commit names go once they are old; everything else stays."""

from __future__ import annotations

import os
from pathlib import Path

from ingest import orphans
from ingest.manifest import Manifest
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
    assert orphans.delete(pipeline.lake, pipeline.manifest, 2_000) == 2
    assert {path for path in (known, old, temporary, young, note) if path.exists()} == {known, young, note}
    pipeline.close()
