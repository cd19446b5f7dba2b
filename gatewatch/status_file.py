"""A service's live counters in `status/<service>.json`: written whole once a second, read by anyone.

A reader sees either the old file or the new one, never half of one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

#: A service that has not written its status for this long is silent, for whoever looks; it writes once a second.
SILENT_AFTER_S = 5.0


def status_folder(data: Path) -> Path:
    """Where the status files of a data folder are."""
    return data / "status"


def write_status(data: Path, service: str, time_s: float, content: Mapping[str, Any]) -> None:
    """Replace the status of `service`; the file also says the time (epoch seconds) and the process id.

    `content` is anything that msgspec writes as JSON: a dataclass within it becomes an object of its fields.
    """
    folder = status_folder(data)
    folder.mkdir(parents=True, exist_ok=True)
    body = msgspec.json.encode({"service": service, "time": time_s, "pid": os.getpid(), **content})
    temporary = folder / f".{service}.{os.getpid()}"
    temporary.write_bytes(body)
    temporary.replace(folder / f"{service}.json")


def read_status(data: Path, service: str) -> dict[str, Any] | None:
    """The last status of `service`; None when it never wrote one, or a power cut left none that can be read."""
    try:
        content: dict[str, Any] = msgspec.json.decode((status_folder(data) / f"{service}.json").read_bytes())
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return content


def read_all(data: Path) -> dict[str, dict[str, Any]]:
    """The last status of every service that wrote one, by name."""
    found = sorted(path.stem for path in status_folder(data).glob("*.json"))
    return {name: status for name in found if (status := read_status(data, name)) is not None}
