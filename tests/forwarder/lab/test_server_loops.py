"""Servers come and go while the others run."""

from __future__ import annotations

import socket

import pytest

from forwarder.lab.lab import Lab
from forwarder.lab.plan import Machine
from forwarder.lab.server_loops import ServerLoops
from forwarder.network_namespace import run_in


def answers(machine: Machine) -> bool:
    """Whether it answers HTTP, asked in its own namespace."""
    def ask() -> bool:
        with socket.socket() as asking:
            asking.settimeout(5)
            if asking.connect_ex((machine.address, 80)) != 0:
                return False
            asking.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answer = b""
            while part := asking.recv(1 << 16):
                answer += part
            return answer.startswith(b"HTTP/1.1 200")

    return run_in(machine.netns, ask)


@pytest.mark.network
def test_servers_follow_the_lab(lab: Lab) -> None:
    first, second = lab.servers[:2]
    loops = ServerLoops()
    try:
        loops.start([first])
        assert (answers(first), answers(second)) == (True, False)
        loops.follow([first, second])
        assert (answers(first), answers(second)) == (True, True)
        loops.follow([second, Machine(name="nowhere", netns="nowhere", address="10.0.0.1")])
        assert (answers(first), answers(second)) == (False, True)
        assert list(loops.counts()) == [second.netns]
    finally:
        loops.stop()
    assert not answers(second)


@pytest.mark.network
def test_nothing_runs_when_one_cannot_begin(lab: Lab) -> None:
    loops = ServerLoops()
    with pytest.raises(OSError, match=r"."):
        loops.start([lab.servers[0], Machine(name="nowhere", netns="nowhere", address="10.0.0.1")])
    assert not answers(lab.servers[0])
