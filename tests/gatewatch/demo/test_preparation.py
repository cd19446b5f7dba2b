"""A demo never removes what is not a demo's, and tells at the start what it could not do in the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatewatch.demo.preparation import MARKER, Refused, prepare_folder, refuse_unwritable


def test_an_earlier_demo_is_removed(tmp_path: Path) -> None:
    (tmp_path / MARKER).touch()
    (tmp_path / "lake" / "metrics").mkdir(parents=True)
    (tmp_path / "manifest.sqlite-wal").touch()
    (tmp_path / "lab").mkdir()
    (tmp_path / "notes.txt").touch()
    prepare_folder(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lab", MARKER, "notes.txt"]


def test_records_of_somebody_else_are_never_removed(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    with pytest.raises(Refused, match="choose another folder with --data"):
        prepare_folder(tmp_path)
    assert (tmp_path / "lake").exists()


def test_a_new_folder_is_made(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "new")
    assert (tmp_path / "new" / MARKER).exists()


def test_a_report_that_cannot_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    refuse_unwritable(None)
    refuse_unwritable(tmp_path / "report.json")
    assert not (tmp_path / "report.json").exists(), "a demo that is refused later must leave no empty report"
    with pytest.raises(Refused, match="cannot be written: No such file or directory"):
        refuse_unwritable(tmp_path / "none" / "report.json")
