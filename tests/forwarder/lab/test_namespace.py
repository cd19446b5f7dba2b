"""Named namespaces: made, entered, taken away, also after a crash half way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from forwarder.lab import namespace
from forwarder.network_namespace import NETNS_FOLDER, run_in

pytestmark = pytest.mark.network


def test_a_namespace_is_another_network(lone_namespace: str) -> None:
    here = Path("/proc/self/ns/net").stat().st_ino
    there = run_in(lone_namespace, lambda: Path("/proc/thread-self/ns/net").stat().st_ino)
    assert there != here
    assert Path("/proc/thread-self/ns/net").stat().st_ino == here
    assert namespace.exists(lone_namespace)


def test_a_name_is_given_once(lone_namespace: str) -> None:
    with pytest.raises(FileExistsError):
        namespace.create(lone_namespace)
    assert namespace.delete(lone_namespace)
    assert not namespace.delete(lone_namespace)
    assert not namespace.exists(lone_namespace)


def test_what_a_crash_left_is_taken_away(privileged: None) -> None:
    namespace.prepare_folder()
    path = NETNS_FOLDER / f"t{os.getpid()}-half"
    path.touch()
    assert namespace.delete(path.name)
    assert not path.exists()
