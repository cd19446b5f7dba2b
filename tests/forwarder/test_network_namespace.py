"""Doing something inside a namespace leaves the rest of the process where it was."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from forwarder.lab import namespace
from forwarder.lab.privilege import missing_capabilities
from forwarder.network_namespace import run_in


@pytest.fixture
def inside() -> Iterator[str]:
    """The name of a namespace, removed afterwards."""
    if missing := missing_capabilities():
        pytest.skip(f"this process lacks {', '.join(missing)}")
    name = f"gwns{os.getpid()}"
    namespace.prepare_folder()
    namespace.create(name)
    yield name
    namespace.delete(name)


def here() -> str:
    return str(Path("/proc/thread-self/ns/net").readlink())


def test_no_name_means_here() -> None:
    assert run_in("", here) == here()


@pytest.mark.network
def test_the_action_runs_inside_and_the_caller_stays_outside(inside: str) -> None:
    before = here()
    assert run_in(inside, here) != before
    assert here() == before
    assert [device for _, device in run_in(inside, socket.if_nameindex)] == ["lo"]


@pytest.mark.network
def test_what_the_action_raises_reaches_the_caller(inside: str) -> None:
    with pytest.raises(ZeroDivisionError):
        run_in(inside, lambda: 1 / 0)


def test_a_namespace_that_is_not_there_is_named() -> None:
    with pytest.raises(OSError, match="gw-none"):
        run_in("gw-none", here)
