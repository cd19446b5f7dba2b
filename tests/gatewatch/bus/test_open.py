"""The settings choose the bus."""

from __future__ import annotations

from pathlib import Path

from gatewatch.bus import open_consumer, open_publisher
from gatewatch.bus.embedded import EmbeddedConsumer, EmbeddedPublisher
from gatewatch.bus.kafka import KafkaPublisher
from gatewatch.bus.kafka_consumer import KafkaBusConsumer
from gatewatch.settings import Settings
from tests.ports import free_port


def test_embedded_is_the_default(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path))
    publisher = open_publisher(settings, "api")
    consumer = open_consumer(settings, "ingest", ["t"], {})
    assert isinstance(publisher, EmbeddedPublisher)
    assert isinstance(consumer, EmbeddedConsumer)
    assert (tmp_path / "spool" / "api.sqlite").exists()
    consumer.close()
    publisher.close()


def test_a_kafka_address_opens_kafka_even_while_it_is_away(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path), bus=f"kafka://127.0.0.1:{free_port()}")
    publisher = open_publisher(settings, "api")
    consumer = open_consumer(settings, "ingest", ["t"], {})
    assert isinstance(publisher, KafkaPublisher)
    assert isinstance(consumer, KafkaBusConsumer)
    consumer.close()
    publisher.close()
