"""Files that the manifest does not know: left by a crash between rename and commit, or in the middle of writing.

Only files old enough that no commit can be about to name them are deleted, and only names that ingest itself gives.
"""

from __future__ import annotations

import os
from pathlib import Path

from ingest.manifest_writer import ManifestWriter

_SUFFIX = ".parquet"


def delete(lake: Path, manifest: ManifestWriter, before_s: float) -> int:
    """Delete Parquet files unknown to the manifest and last written before then (epoch seconds); how many."""
    known = manifest.known_paths()
    deleted = 0
    for folder, _, names in os.walk(lake):
        for name in names:
            path = Path(folder, name)
            if not name.endswith(_SUFFIX) or path.relative_to(lake).as_posix() in known:
                continue
            if path.stat().st_mtime < before_s:
                path.unlink()
                deleted += 1
    return deleted
