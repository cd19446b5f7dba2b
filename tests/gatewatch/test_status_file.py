"""Status files: written whole, read back, absent when never written."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatewatch.status_file import read_all, read_status, status_folder, write_status


def test_what_was_written_last_is_read(tmp_path: Path) -> None:
    write_status(tmp_path, "api", 10.0, {"requests": 1})
    write_status(tmp_path, "api", 11.5, {"requests": 2})
    assert read_status(tmp_path, "api") == {
        "service": "api", "time": 11.5, "pid": os.getpid(), "write_errors": 0, "requests": 2}


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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB, full to the last block, with two statuses on it."""
    data = tmp_path / "small"
    data.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(data)], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"a file system cannot be mounted here: {made.stderr.strip()}")
    try:
        write_status(data, "api", 1.0, {"text": "x" * 900})
        with contextlib.suppress(OSError), (data / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"\0" * 4096)
        yield data
    finally:
        subprocess.run(["umount", "-l", str(data)], check=True)


def test_on_a_full_disk_a_service_that_is_alive_does_not_seem_silent(small_disk: Path) -> None:
    assert write_status(small_disk, "api", 2.0, {"text": "y" * 900})
    assert write_status(small_disk, "api", 3.0, {"text": "z"})
    status = read_status(small_disk, "api")
    assert status is not None
    assert (status["time"], status["text"]) == (3.0, "z")


def test_on_a_full_disk_a_status_may_grow_by_a_block(small_disk: Path) -> None:
    assert write_status(small_disk, "api", 2.0, {"text": "y" * 5_000})
    status = read_status(small_disk, "api")
    assert status is not None
    assert (status["time"], len(status["text"])) == (2.0, 5_000)


def test_on_a_full_disk_one_that_has_no_room_leaves_the_one_before(small_disk: Path) -> None:
    assert not write_status(small_disk, "api", 2.0, {"text": "x" * 50_000})
    status = read_status(small_disk, "api")
    assert status is not None
    assert (status["time"], status["text"]) == (1.0, "x" * 900)


def test_what_has_no_room_at_all_is_counted_and_no_error(small_disk: Path) -> None:
    assert not write_status(small_disk, "console", 2.0, {})
    assert not write_status(small_disk, "api", 2.0, {"text": "x" * 50_000})
    (small_disk / "filler").unlink()
    assert write_status(small_disk, "console", 3.0, {})
    status = read_status(small_disk, "console")
    assert status is not None
    assert status["write_errors"] >= 2
    assert [path.name for path in status_folder(small_disk).iterdir() if path.name.startswith(".")] == []


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not write_status(tmp_path / "file", "api", 1.0, {})
