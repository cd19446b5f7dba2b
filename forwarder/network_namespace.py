"""Doing something inside a network namespace, most often opening a socket, which then stays there for good.

`setns` changes the calling thread only, and an ordinary user can never come back to the host's namespace.  So each call
runs in a thread of its own that ends in the namespace; the process stays where it was.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

NETNS_FOLDER = Path("/run/netns")
CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)
Result = TypeVar("Result")


def enter(name: str) -> None:
    """Move the calling thread into the namespace for good; `OSError` names the namespace if it cannot."""
    path = NETNS_FOLDER / name
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.setns(descriptor, CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"cannot enter the network namespace: {os.strerror(number)}", str(path))
    finally:
        os.close(descriptor)


def run_in(name: str, action: Callable[[], Result]) -> Result:
    """Run `action` inside namespace `name` (empty: here) and give back what it gave, or raise what it raised."""
    if not name:
        return action()
    results: list[Result] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            enter(name)
            results.append(action())
        except BaseException as error:  # handed to the caller below
            errors.append(error)

    thread = threading.Thread(target=body, name=f"netns-{name}")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
