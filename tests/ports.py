"""Ports for tests that start servers: free ones, of a range in which the kernel gives nobody a port by chance.

A port that was asked for with `bind(0)` and closed again is in the kernel's own range, where any connection of this
machine may take it before the server that it was meant for listens.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path

FIRST, LAST = 10_000, 65_000
TRIES_MAX = 1_000

# Each process draws others; a seed would give two test runs on one machine the same ports.
_dice = random.SystemRandom()
_given: set[int] = set()


def free_port() -> int:
    """A TCP port that nobody on this machine listens on now, and that no other call of this process was given."""
    for _ in range(TRIES_MAX):
        port = _dice.randint(FIRST, LAST)
        if port not in _given and not _is_the_kernels(port) and _can_be_bound(port):
            _given.add(port)
            return port
    raise RuntimeError(f"no free port in {TRIES_MAX} tries")


def _is_the_kernels(port: int) -> bool:
    try:
        text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    low, high = (int(word) for word in text.split())
    # A machine may give nearly all ports to the kernel; then there is no better one.
    return low <= port <= high and high - low < (LAST - FIRST) * 0.9


def _can_be_bound(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True
