"""Waiting for packets: a busy kernel hands them over after the call that sent them has come back."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

WAIT_S_MAX = 30.0
SO_MEMINFO = 55


def wait_for(condition: Callable[[], Any]) -> None:
    """Wait until a condition holds."""
    deadline_s = time.monotonic() + WAIT_S_MAX
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come to that"
        select.select([], [], [], 0.005)


def taken(port: Any, count: int) -> list[Any]:
    """What a port receives until there are `count` packets, and what else waits then: too many must show."""
    found: list[Any] = []
    wait_for(lambda: found.extend(port.receive(64)) or len(found) >= count)
    return found + list(port.receive(64))


def queued_bytes(receiver: socket.socket) -> int:
    """How much waits in a socket's receive queue, in the kernel's own count (`sk_rmem_alloc`)."""
    return int(struct.unpack("=9I", receiver.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))[0])


def lost_and_received(port: Any, sent: int) -> tuple[int, int]:
    """Of `sent` packets, more than the queue holds: how many the kernel dropped, and how many came."""
    drops = received = 0

    def all_known() -> bool:
        nonlocal drops, received
        drops += port.kernel_drops()
        if drops:  # the queue was full: now what is in it may be taken out
            received += len(port.receive(64))
        return drops + received >= sent

    wait_for(all_known)
    return drops, received
