"""Status files: written whole, read back, absent when never written."""

from __future__ import annotations

import os
from pathlib import Path

from gatewatch.status_file import read_all, read_status, status_folder, write_status


def test_what_was_written_last_is_read(tmp_path: Path) -> None:
    write_status(tmp_path, "api", 10.0, {"requests": 1})
    write_status(tmp_path, "api", 11.5, {"requests": 2})
    assert read_status(tmp_path, "api") == {"service": "api", "time": 11.5, "pid": os.getpid(), "requests": 2}


def test_a_service_that_never_wrote_has_none(tmp_path: Path) -> None:
    assert read_status(tmp_path, "api") is None
    assert read_all(tmp_path) == {}


def test_all_are_read_by_name_and_nothing_half_written(tmp_path: Path) -> None:
    write_status(tmp_path, "ingest", 1.0, {})
    write_status(tmp_path, "api", 1.0, {})
    (status_folder(tmp_path) / ".console.77").write_text("{")
    assert list(read_all(tmp_path)) == ["api", "ingest"]


def test_a_file_a_power_cut_emptied_is_as_if_never_written(tmp_path: Path) -> None:
    write_status(tmp_path, "api", 10.0, {})
    (status_folder(tmp_path) / "api.json").write_bytes(b"")
    assert read_status(tmp_path, "api") is None
    assert read_all(tmp_path) == {}
