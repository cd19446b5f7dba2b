"""Choosing the bus that the settings name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gatewatch.bus.message import Consumer, Publisher
from gatewatch.settings import Settings


def open_publisher(settings: Settings, service: str) -> Publisher:
    """The publisher of `service`, whose spool is `DATA/spool/<service>.sqlite`; one process at a time may hold it."""
    raise NotImplementedError


def open_consumer(settings: Settings, name: str, topics: Sequence[str], positions: Mapping[str, int]) -> Consumer:
    """A consumer called `name` of `topics`, from `positions` (next offset wanted by partition; absent: the beginning)."""
    raise NotImplementedError
