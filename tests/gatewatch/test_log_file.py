"""A log file stays below its limit, and none of the lines that are written meanwhile is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gatewatch import log_file
from gatewatch.log_file import CUT_BYTES, OLD_FILES_KEPT, old_file, shorten

WRITER = """
import os, signal
told = []
signal.signal(signal.SIGTERM, lambda *_: told.append(1))
number = 0
while not told:
    os.write(1, b"line %09d of a service that has much to say\\n" % number)
    number += 1
os.write(1, b"line %09d is the last\\n" % number)
"""


def whole(path: Path) -> bytes:
    """Old files and the one that is written, in the order of their lines."""
    return b"".join(
        one.read_bytes() for one in (*(old_file(path, number) for number in range(9, 0, -1)), path) if one.exists()
    )


def cuts_out(folder: Path) -> bool:
    """Whether the file system there can cut out a file's front."""
    with (folder / "try").open("w+b") as file:
        file.write(bytes(2 * CUT_BYTES))
        file.flush()
        return log_file._cut_out(file, CUT_BYTES)


def test_a_short_file_and_one_that_is_not_there_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    assert not shorten(path, CUT_BYTES)
    path.write_bytes(b"x" * CUT_BYTES)
    assert not shorten(path, CUT_BYTES)
    assert path.stat().st_size == CUT_BYTES


def test_a_writer_that_never_pauses_loses_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "OLD_FILES_KEPT", 1_000)
    path = tmp_path / "a.log"
    with path.open("ab") as log:
        writer = subprocess.Popen([sys.executable, "-c", WRITER], stdout=log)
    shortened = 0
    while shortened < 10:
        assert writer.poll() is None
        shortened += shorten(path, 2 * CUT_BYTES)
    writer.terminate()
    assert writer.wait(20) == 0
    old = sorted(tmp_path.glob("a.log.*"), key=lambda one: -int(one.suffix[1:]))
    lines = b"".join(one.read_bytes() for one in (*old, path)).splitlines()
    assert len(old) == 10
    assert lines[-1].endswith(b"is the last")
    if not cuts_out(tmp_path):
        return  # on tmpfs, for one, a line that comes while the file is emptied may be lost
    assert [int(line.split()[1]) for line in lines] == list(range(len(lines)))


def test_where_nothing_can_be_cut_out_the_file_is_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "_cut_out", lambda log, count: False)
    path = tmp_path / "a.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"first\n" * 50_000)
        assert shorten(path, CUT_BYTES)
        assert path.stat().st_size == 0
        writer.write(b"second\n")
    assert path.read_bytes() == b"second\n"
    assert whole(path) == b"first\n" * 50_000 + b"second\n"


def test_a_file_that_somebody_empties_meanwhile_is_no_trap(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"x" * CUT_BYTES)
    with path.open("r+b") as log:
        log_file._copy(log, path, 2 * CUT_BYTES)
    assert old_file(path, 1).stat().st_size == CUT_BYTES


def test_so_many_old_files_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    for number in range(OLD_FILES_KEPT + 3):
        with path.open("ab") as writer:
            writer.write(b"%d" % number * 2 * CUT_BYTES)
        assert shorten(path, CUT_BYTES)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.log", "a.log.1", "a.log.2", "a.log.3"]
    assert path.stat().st_size <= CUT_BYTES
    assert whole(path).endswith(b"5")


def test_without_room_for_the_copy_everything_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"x" * 3 * CUT_BYTES)
    old_file(path, 1).write_bytes(b"older")
    # A device that is always full stands for the disk.
    (tmp_path / ".a.log.new").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        shorten(path, CUT_BYTES)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.log", "a.log.1"]
    assert (path.stat().st_size, old_file(path, 1).read_bytes()) == (3 * CUT_BYTES, b"older")
