"""A service's live counters in `status/<service>.json`: written whole once a second, read by anyone.

A reader sees either the old file or the new one, never half of one, and a writer goes on when it cannot write: a status is
not the data.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from gatewatch.repeated_error import RepeatedError

#: A service that has not written its status for this long is silent, for whoever looks; it writes once a second.
SILENT_AFTER_S = 5.0
#: A file is filled up to a multiple of this with blanks, which JSON does not mind: what is written over it on a full disk may be longer.
ROOM_BYTES = 4096
#: How often a file that cannot be decoded is read again.
READINGS_MAX = 3


def status_folder(data: Path) -> Path:
    """Where the status files of a data folder are."""
    return data / "status"


def write_status(data: Path, service: str, time_s: float, content: Mapping[str, Any]) -> bool:
    """Replace the status of `service`; the file also says the time (epoch seconds), the process id, and how many statuses of
    this process could not be written (`write_errors`).  False, and logged now and then, when this one could not be: no service
    ends because of it.

    On a full disk the file that is there is written over in place, in the room it has: a service that is alive does not seem
    silent.  `content` is anything that msgspec writes as JSON: a dataclass within it becomes an object of its fields.
    """
    folder = status_folder(data)
    status = {"service": service, "time": time_s, "pid": os.getpid(), "write_errors": _failures.count, **content}
    body = msgspec.json.encode(status)
    path = folder / f"{service}.json"
    try:
        _replace(path, body)
    except OSError as error:
        try:
            _overwrite(path, body)
        except OSError:
            _failures.add(service, error)
            return False
    return True


def _replace(path: Path, body: bytes) -> None:
    """All or nothing: whoever reads sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.stem}.{os.getpid()}"
    try:
        temporary.write_bytes(body.ljust((len(body) // ROOM_BYTES + 2) * ROOM_BYTES))
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _overwrite(path: Path, body: bytes) -> None:
    """In place and in one write; `OSError`, and the file as it was, if that needs room there is none."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        size = os.fstat(descriptor).st_size
        if len(body) > size:
            os.posix_fallocate(descriptor, size, len(body) - size)
        os.pwrite(descriptor, body.ljust(size), 0)
    finally:
        os.close(descriptor)


class _Failures:
    """How often this process could not write a status; said now and then."""

    def __init__(self) -> None:
        self.count = 0
        self._repeated: RepeatedError | None = None

    def add(self, service: str, error: OSError) -> None:
        """Count one, and say so unless it was just said."""
        self.count += 1
        if self._repeated is None:
            # Whoever only reads statuses, as `gatewatch status` does, does not wait for the log's modules.
            import structlog

            from gatewatch.repeated_error import RepeatedError

            self._repeated = RepeatedError(structlog.get_logger(service))
        self._repeated.warning("the status could not be written; the service goes on", problem=str(error), failures=self.count)


_failures = _Failures()


def read_status(data: Path, service: str) -> dict[str, Any] | None:
    """The last status of `service`; None when it never wrote one, or a power cut left none that can be read."""
    path = status_folder(data) / f"{service}.json"
    for _ in range(READINGS_MAX):
        try:
            content: dict[str, Any] = msgspec.json.decode(path.read_bytes())
        except FileNotFoundError:
            return None
        except msgspec.DecodeError:  # one that was written over in place may be read between two of its pages
            continue
        return content
    return None


def read_all(data: Path) -> dict[str, dict[str, Any]]:
    """The last status of every service that wrote one, by name."""
    found = sorted(path.stem for path in status_folder(data).glob("*.json"))
    return {name: status for name in found if (status := read_status(data, name)) is not None}
