"""Files that the manifest does not know: left by a crash between rename and commit, or in the middle of writing.

Only old files are deleted, only names that ingest itself gives, and only while no commit can be about to name one.  A
file that is older than the manifest is not its orphan: the manifest was lost, and the file may be all that is left.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.manifest_writer import ManifestWriter

_SUFFIX = ".parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How many unknown files were deleted, and how many were left because they are older than the manifest."""

    deleted: int
    strange: int


def delete(lake: Path, manifest: ManifestWriter, before_s: float, writing: AbstractContextManager[Any]) -> Found:
    """Delete Parquet files unknown to the manifest and last written before then (epoch seconds).

    Whoever writes a file holds `writing` until the manifest has it, or is the caller's own thread.
    """
    old = list(_old(lake, before_s))
    if not old:
        return Found(deleted=0, strange=0)
    with writing:
        # Asked for after the search: what was in the middle of being published then is known by now.
        known = manifest.known_paths()
        unknown = [path for path in old if path.relative_to(lake).as_posix() not in known]
        orphans = [path for path in unknown if _written_s(path) >= manifest.made_at_s]
        for path in orphans:
            path.unlink(missing_ok=True)
    return Found(deleted=len(orphans), strange=len(unknown) - len(orphans))


def _old(lake: Path, before_s: float) -> Iterator[Path]:
    for folder, _, names in os.walk(lake):
        for name in names:
            path = Path(folder, name)
            if name.endswith(_SUFFIX) and _written_s(path) < before_s:
                yield path


def _written_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # a temporary name, just renamed
        return float("inf")
