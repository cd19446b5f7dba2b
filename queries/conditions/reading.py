"""What conditions are decided from: the services' last words about themselves, and the disk.  The room's only I/O."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from gatewatch.standing import EndpointStanding, Lately
from gatewatch.status_file import read_all


class Identified(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint of the forwarder's status."""

    id: str


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """A topic of a publisher's books (`gatewatch.bus.message.TopicCount`)."""

    topic: str
    held: int = 0
    given_up: int = 0


class Notifications(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the alarms' messages."""

    failed_attempts: int = 0
    waiting: int = 0


class ServiceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What conditions need of any service's status; what a service does not tell has its default."""

    time: float
    problem: str = ""
    last_problem: str = ""
    inventory_problem: str = ""
    devices_missing: dict[str, str] = {}
    bus: list[Topic] | str = []
    last_commit_s: float = 0.0
    standing: list[EndpointStanding] = []
    lately: list[Lately] = []
    endpoints: list[Identified] = []
    notifications: Notifications = Notifications()
    clock_stepped_at_s: float | None = None
    clock_stepped_by_s: float = 0.0

    @property
    def topics(self) -> list[Topic]:
        """The publisher's books; ingest, which publishes nothing, tells the bus's name there."""
        return [] if isinstance(self.bus, str) else self.bus


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One moment: every service's status by name, and the bytes that are free and there at all on the data folder's disk."""

    services: Mapping[str, ServiceStatus]
    disk_free_bytes: int
    disk_bytes: int


def read(data: Path) -> Snapshot:
    """The snapshot of a data folder.  A status that is not understood counts as none; `OSError` without a folder."""
    disk = os.statvfs(data)
    understood = {name: _understood(status) for name, status in read_all(data).items()}
    return Snapshot(
        services={name: status for name, status in understood.items() if status is not None},
        disk_free_bytes=disk.f_bavail * disk.f_frsize, disk_bytes=disk.f_blocks * disk.f_frsize,
    )


def _understood(status: Mapping[str, Any]) -> ServiceStatus | None:
    try:
        return msgspec.convert(status, ServiceStatus)
    except msgspec.ValidationError:
        return None
