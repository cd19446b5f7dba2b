"""What conditions are decided from, out of a data folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatewatch.standing import Lately
from gatewatch.status_file import status_folder, write_status
from queries.conditions.reading import Topic, read


def test_statuses_are_read_as_far_as_they_tell_something(tmp_path: Path) -> None:
    write_status(tmp_path, "forwarder", 5.0, {"lately": [{"name": "unrecorded", "added": 3, "since_s": 1.0}], "other": [1]})
    write_status(tmp_path, "api", 6.0, {"bus": [{"topic": "t", "held": 2, "given_up": 1, "messages": 9}]})
    write_status(tmp_path, "ingest", 7.0, {"bus": "embedded"})
    found = read(tmp_path)
    assert found.services["forwarder"].lately == [Lately(name="unrecorded", added=3, since_s=1.0)]
    assert found.services["api"].topics == [Topic(topic="t", held=2, given_up=1)]
    assert found.services["ingest"].topics == []
    assert 0 < found.disk_free_bytes <= found.disk_bytes


def test_a_status_that_is_not_understood_is_none(tmp_path: Path) -> None:
    write_status(tmp_path, "api", 1.0, {"bus": 7})
    write_status(tmp_path, "forwarder", 1.0, {})
    (status_folder(tmp_path) / "health.json").write_text("{")
    assert set(read(tmp_path).services) == {"forwarder"}


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none")
