"""Doing something inside a namespace leaves the rest of the process where it was."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from forwarder.network_namespace import run_in


def here() -> str:
    return str(Path("/proc/thread-self/ns/net").readlink())


def test_no_name_means_here() -> None:
    assert run_in("", here) == here()


@pytest.mark.network
def test_the_action_runs_inside_and_the_caller_stays_outside(network: Any) -> None:
    name, before = network.namespace("n"), here()
    assert run_in(name, here) != before
    assert here() == before
    assert [device for _, device in run_in(name, socket.if_nameindex)] == ["lo"]


@pytest.mark.network
def test_what_the_action_raises_reaches_the_caller(network: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        run_in(network.namespace("n"), lambda: 1 / 0)


def test_a_namespace_that_is_not_there_is_named() -> None:
    with pytest.raises(OSError, match="gw-none"):
        run_in("gw-none", here)
