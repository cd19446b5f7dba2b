"""The inventory file is read again when it changes, and a bad one does not take the good one away."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from forwarder.control.inventory_file import InventoryFile

GOOD = Path(__file__).parents[2] / "fixtures" / "control" / "inventory.toml"


def test_missing_then_there_then_wrong_then_gone(tmp_path: Path) -> None:
    path = tmp_path / "inventory.toml"
    file = InventoryFile(path)
    file.look()
    assert (file.current.vpcs, "cannot be read" in file.problem) == ((), True)
    shutil.copy(GOOD, path)
    file.look()
    assert (len(file.current.vpcs), file.problem) == (2, "")
    path.write_text("[[vpcs]]\nid = 7\n", encoding="utf-8")
    file.look()
    assert (len(file.current.vpcs), "is wrong" in file.problem) == (2, True)
    path.unlink()
    file.look()
    assert (len(file.current.vpcs), "cannot be read" in file.problem) == (2, True)


def test_an_unchanged_file_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "inventory.toml"
    shutil.copy(GOOD, path)
    file = InventoryFile(path)
    file.look()
    first = file.current
    file.look()
    assert file.current is first
    os.utime(path, ns=(1, 1))
    file.look()
    assert file.current is not first


def test_who_asks_for_it_now_sees_what_was_just_written(tmp_path: Path) -> None:
    path = tmp_path / "inventory.toml"
    file = InventoryFile(path)
    assert file.now().vpcs == ()
    shutil.copy(GOOD, path)
    assert len(file.now().vpcs) == 2
