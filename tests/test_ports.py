"""Ports that stay free until the test's server listens."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.ports import free_port


def test_each_is_another_one_that_can_be_listened_on() -> None:
    ports = [free_port() for _ in range(100)]
    assert len(set(ports)) == 100
    for port in ports[:5]:
        socket.create_server(("127.0.0.1", port)).close()


def test_none_is_one_the_kernel_may_give_to_a_connection() -> None:
    low, high = (int(word) for word in Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split())
    if high - low < 40_000:
        assert not [port for _ in range(100) if low <= (port := free_port()) <= high]
