"""Choosing the bus that the settings name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gatewatch.bus.message import Consumer, Publisher
from gatewatch.bus.spool import SpoolLimits, spool_folder, spool_path
from gatewatch.settings import Settings


def open_publisher(settings: Settings, service: str) -> Publisher:
    """The publisher of `service`, whose spool is `DATA/spool/<service>.sqlite`; one process at a time may hold it.

    `gatewatch.bus.spool.SpoolHeld` when another process does.
    """
    path = spool_path(settings.data_path, service)
    limits = SpoolLimits(
        message_bytes_max=settings.message_bytes_max, spool_bytes_max=settings.spool_bytes_max,
        keep_s=settings.spool_keep_s,
    )
    # Each bus is imported when it is the one asked for: the Kafka client costs a tenth of a second.
    if settings.bus == "embedded":
        from gatewatch.bus.embedded import EmbeddedPublisher

        return EmbeddedPublisher(path, limits)
    from gatewatch.bus.kafka import KafkaPublisher, cluster_of

    return KafkaPublisher(path, limits, cluster_of(settings))


def open_consumer(settings: Settings, name: str, topics: Sequence[str], positions: Mapping[str, int]) -> Consumer:
    """A consumer called `name` of `topics`, from `positions` (next offset wanted by partition, 1 or 0 if absent)."""
    if settings.bus == "embedded":
        from gatewatch.bus.embedded import EmbeddedConsumer

        return EmbeddedConsumer(spool_folder(settings.data_path), name, topics, positions)
    from gatewatch.bus.kafka import cluster_of
    from gatewatch.bus.kafka_consumer import KafkaBusConsumer

    return KafkaBusConsumer(cluster_of(settings), name, topics, positions)
