"""A loop in a thread in a namespace."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from forwarder.lab.namespace_loop import NamespaceLoop
from forwarder.network_namespace import NETNS_FOLDER


def test_what_was_opened_runs_until_stop() -> None:
    running, ended = threading.Event(), threading.Event()

    async def run() -> None:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    tasks: list[asyncio.Task[None]] = []

    async def open_all() -> None:
        tasks.append(asyncio.create_task(run()))

    loop = NamespaceLoop("", open_all, name="test-loop")
    loop.start()
    called = threading.Event()
    loop.call(called.set)
    assert called.wait(60)
    assert running.wait(60)
    loop.stop()
    assert ended.is_set()
    assert tasks[0].cancelled()
    loop.call(called.clear)
    assert called.is_set(), "nothing runs after stop"


def test_a_refused_opening_is_raised_by_start() -> None:
    async def refuse() -> None:
        raise OSError("no")

    loop = NamespaceLoop("", refuse, name="test-loop")
    with pytest.raises(OSError, match="no"):
        loop.start()
    loop.stop()


def test_a_missing_namespace_is_raised_by_start() -> None:
    async def nothing() -> None:
        pass

    loop = NamespaceLoop("gatewatch-test-missing", nothing, name="test-loop")
    with pytest.raises(FileNotFoundError):
        loop.start()
    loop.stop()


def test_one_that_never_started_can_be_stopped() -> None:
    async def nothing() -> None:
        pass

    NamespaceLoop("", nothing, name="test-loop").stop()


@pytest.mark.network
def test_it_runs_in_the_namespace(lone_namespace: str) -> None:
    found: list[int] = []

    async def look() -> None:
        found.append(Path("/proc/thread-self/ns/net").stat().st_ino)

    loop = NamespaceLoop(lone_namespace, look, name="test-loop")
    loop.start()
    loop.stop()
    assert found == [(NETNS_FOLDER / lone_namespace).stat().st_ino]
    assert found != [Path("/proc/self/ns/net").stat().st_ino]
