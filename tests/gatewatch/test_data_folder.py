"""One supervisor and one runner of the lab a data folder, and none while a service of the last one lives."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gatewatch import data_folder
from gatewatch.data_folder import FolderHeld, lab_run, supervised
from gatewatch.lock_file import hold, release


def test_a_second_supervisor_is_told_who_has_the_folder(tmp_path: Path) -> None:
    refused = pytest.raises(FolderHeld, match=f"^process {os.getpid()} already runs the services of")
    with supervised(tmp_path), refused, supervised(tmp_path):
        pytest.fail("two supervisors in one folder")
    with supervised(tmp_path):
        assert (tmp_path / "supervisor.lock").exists()


def test_a_lab_that_is_run_is_left_alone(tmp_path: Path) -> None:
    with lab_run(tmp_path), pytest.raises(FolderHeld, match="runs the lab of"), lab_run(tmp_path):
        pytest.fail("two ran the lab")


def test_other_folders_are_free(tmp_path: Path) -> None:
    with supervised(tmp_path / "one"), lab_run(tmp_path / "one"), supervised(tmp_path / "two"), lab_run(tmp_path / "two"):
        pass


def test_a_service_left_over_is_waited_for(tmp_path: Path) -> None:
    lock = hold(tmp_path / "spool" / "api.lock")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        release(lock)

    data_folder._wait_for_left_over(tmp_path, pause)
    assert len(pauses) == 1


def test_a_service_that_does_not_end_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_folder, "LEFT_OVER_WAIT_S", 0.0)
    lock = hold(tmp_path / "spool" / "api.lock")
    refused = pytest.raises(FolderHeld, match=f"process {os.getpid()}, the service api, still works with")
    with refused, supervised(tmp_path):
        pytest.fail("it did not wait")
    release(lock)
