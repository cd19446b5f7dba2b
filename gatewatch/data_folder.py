"""Who works with a data folder: one supervisor at a time, one runner of its lab at a time, and no service left over.

Two supervisors in one folder would start services that fight for its files, and a demo begins by removing what the last
one left.  The locks go with the process that holds them, however it ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gatewatch.bus.spool import spool_folder
from gatewatch.lock_file import Held, hold, release
from gatewatch.refusal import Refusal

#: Services of a supervisor that was killed are told by the kernel and end within this time, or are stuck.
LEFT_OVER_WAIT_S = 20.0
POLL_S = 0.1


class FolderHeld(Refusal, RuntimeError):
    """Another process works with the data folder; the message says which and what to do."""


@contextmanager
def supervised(data: Path) -> Iterator[None]:
    """Have the folder for one supervisor (`gatewatch up`, `demo`), once services left over have ended; `FolderHeld`."""
    with _held(data / "supervisor.lock", f"already runs the services of {data}; stop it first, or choose another folder "
               "with --data"):
        _wait_for_left_over(data)
        yield


@contextmanager
def lab_run(data: Path) -> Iterator[None]:
    """Have the folder's lab, so that nobody takes it down or builds it anew meanwhile; `FolderHeld`."""
    with _held(data / "lab" / "run.lock", f"runs the lab of {data}; stop it first, or choose another folder with --data"):
        yield


def _wait_for_left_over(data: Path, pause: Callable[[float], None] = time.sleep) -> None:
    """Each service holds its spool's lock as long as it lives."""
    deadline_s = time.monotonic() + LEFT_OVER_WAIT_S
    while (left_over := _left_over(data)) is not None:
        if time.monotonic() >= deadline_s:
            service, holder = left_over
            raise FolderHeld(f"{holder}, the service {service}, still works with {data}; stop it first, or choose "
                             "another folder with --data")
        pause(POLL_S)


def _left_over(data: Path) -> tuple[str, str] | None:
    for path in sorted(spool_folder(data).glob("*.lock")):
        try:
            release(hold(path))
        except Held as held:
            return path.stem, held.holder
    return None


@contextmanager
def _held(path: Path, message: str) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.callback(release, hold(path))
        except Held as held:
            raise FolderHeld(f"{held.holder} {message}") from None
        yield
