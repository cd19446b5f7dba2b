"""The relay from spool to a real Kafka: order, headers, acknowledgement, and a broker that comes and goes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatewatch.bus import spool
from gatewatch.bus.kafka import Cluster, KafkaPublisher, cluster_of, make_topics, reach
from gatewatch.bus.kafka_consumer import KafkaBusConsumer
from gatewatch.bus.message import Draft, Message
from gatewatch.settings import BadSetting, Settings
from tests.kafka_broker import KafkaBroker
from tests.ports import free_port

LIMITS = spool.SpoolLimits(message_bytes_max=65_536, spool_bytes_max=1 << 24, keep_s=60)
WAIT_S = 30.0


def cluster(bootstrap: str, partitions: int = 4) -> Cluster:
    return Cluster(servers=bootstrap, partitions=partitions, replicas=1, message_bytes_max=65_536)


def draft(topic: str, text: str = "x") -> Draft:
    return Draft(topic=topic, key="eni-1", value=text.encode(), records=2, headers={"format": "${version}"})


def read(consumer: KafkaBusConsumer, count: int) -> list[Message]:
    """Messages until there are `count`, then what one more poll brings: too many must show."""
    found: list[Message] = []
    for _ in range(round(WAIT_S / 0.2)):
        found += consumer.poll(0.2, 1_000)
        if len(found) >= count:
            break
    return found + consumer.poll(0.2, 1_000)


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    return str(request.node.name).replace("[", ".").replace("]", "")


@pytest.fixture
def publisher(kafka_broker: str, tmp_path: Path) -> Iterator[KafkaPublisher]:
    one = KafkaPublisher(tmp_path / "api.sqlite", LIMITS, cluster(kafka_broker))
    yield one
    one.close()


@pytest.mark.parametrize("bus", ["kafka://broker", "kafka://broker:9092,other:", "kafka://broker:port"])
def test_an_address_without_port_is_refused(bus: str) -> None:
    with pytest.raises(BadSetting, match="has no port"):
        cluster_of(Settings(bus=bus))


def test_the_settings_name_the_cluster() -> None:
    found = cluster_of(Settings(bus="kafka://a:9092,b:9093", kafka_partitions=7, kafka_replicas=3))
    assert found == Cluster(servers="a:9092,b:9093", partitions=7, replicas=3, message_bytes_max=65_536)


def test_an_absent_broker_is_an_os_error() -> None:
    with pytest.raises(OSError, match="refused"):
        reach(cluster(f"127.0.0.1:{free_port()}"))


def test_nobody_waits_for_a_broker_that_cannot_be_reached(tmp_path: Path) -> None:
    one = KafkaPublisher(tmp_path / "api.sqlite", LIMITS, cluster(f"127.0.0.1:{free_port()}"))
    one.publish([draft("t", "x")])
    began_s = time.monotonic()
    assert not one.flush(WAIT_S)
    assert time.monotonic() - began_s < WAIT_S / 4
    assert [count.held for count in one.counts()] == [1]
    one.close()


@pytest.mark.broker
def test_messages_arrive_in_order_with_their_headers(kafka_broker: str, publisher: KafkaPublisher, topic: str) -> None:
    publisher.publish([draft(topic, str(number)) for number in range(200)])
    assert publisher.flush(WAIT_S)
    count = publisher.counts()[0]
    assert (count.messages, count.records, count.acknowledged, count.held) == (200, 400, 200, 0)
    consumer = KafkaBusConsumer(cluster(kafka_broker), "reader", [topic], {})
    found = read(consumer, 200)
    assert [(m.seq, m.value) for m in found] == [(number + 1, str(number).encode()) for number in range(200)]
    assert {(m.key, m.records, m.origin, m.headers["format"]) for m in found} == {
        ("eni-1", 2, publisher.origin, "${version}")
    }
    assert len({m.partition for m in found}) == 1
    consumer.close()


@pytest.mark.broker
def test_after_a_restart_the_relay_goes_on_where_it_was(kafka_broker: str, tmp_path: Path, topic: str) -> None:
    path = tmp_path / "api.sqlite"
    for round_number in range(3):
        one = KafkaPublisher(path, LIMITS, cluster(kafka_broker))
        one.publish([draft(topic, str(round_number))] * 5)
        assert one.flush(WAIT_S)
        one.close()
    consumer = KafkaBusConsumer(cluster(kafka_broker), "reader", [topic], {})
    assert [message.seq for message in read(consumer, 15)] == list(range(1, 16))
    consumer.close()


@pytest.mark.broker
def test_a_lost_acknowledgement_sends_again_and_loses_nothing(kafka_broker: str, tmp_path: Path, topic: str) -> None:
    path = tmp_path / "api.sqlite"
    one = KafkaPublisher(path, LIMITS, cluster(kafka_broker))
    one.publish([draft(topic)] * 5)
    assert one.flush(WAIT_S)
    one.close()
    connection = spool.join(path)
    connection.execute("update positions set next_seq = 3")
    connection.close()
    again = KafkaPublisher(path, LIMITS, cluster(kafka_broker))
    assert again.flush(WAIT_S)
    again.close()
    consumer = KafkaBusConsumer(cluster(kafka_broker), "reader", [topic], {})
    assert [message.seq for message in read(consumer, 8)] == [1, 2, 3, 4, 5, 3, 4, 5]
    consumer.close()


@pytest.mark.broker
def test_a_stream_stays_on_its_partition_when_partitions_are_added(
    kafka_broker: str, tmp_path: Path, topic: str
) -> None:
    from kafka import KafkaAdminClient

    make_topics(cluster(kafka_broker, partitions=1), [topic])
    partitions = set()
    for wanted in (1, 8):
        if wanted > 1:
            admin = KafkaAdminClient(bootstrap_servers=kafka_broker)
            admin.create_partitions({topic: wanted})
            admin.close()
        one = KafkaPublisher(tmp_path / "api.sqlite", LIMITS, cluster(kafka_broker))
        one.publish([draft(topic)])
        assert one.flush(WAIT_S)
        one.close()
    consumer = KafkaBusConsumer(cluster(kafka_broker), "reader", [topic], {})
    partitions = {message.partition.partition("@")[0] for message in read(consumer, 2)}
    assert partitions == {f"{topic}:0"}
    consumer.close()


@pytest.mark.broker
@pytest.mark.slow
def test_the_broker_dies_and_comes_back_in_mid_flow(own_kafka_broker: KafkaBroker, tmp_path: Path, topic: str) -> None:
    place = cluster(own_kafka_broker.bootstrap)
    one = KafkaPublisher(tmp_path / "api.sqlite", LIMITS, place)
    consumer = KafkaBusConsumer(place, "reader", [topic], {})
    last_seq, stop = 0, threading.Event()

    def publish() -> None:
        while not stop.wait(0.005):
            one.publish([draft(topic)])

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        for end in (own_kafka_broker.kill, own_kafka_broker.stop):
            wanted = last_seq + 50
            while last_seq < wanted:
                last_seq = follow(consumer.poll(0.2, 100), last_seq)
            end()
            held = one.counts()[0].messages + 20
            while one.counts()[0].messages < held:
                last_seq = follow(consumer.poll(0.1, 100), last_seq)
            own_kafka_broker.start()
    finally:
        stop.set()
        thread.join()
    assert one.flush(WAIT_S)
    while last_seq < one.counts()[0].messages:
        last_seq = follow(consumer.poll(0.2, 100), last_seq)
    consumer.close()
    one.close()


def follow(messages: list[Message], last_seq: int) -> int:
    """The last seq seen; what comes twice is allowed, a gap is not."""
    for message in messages:
        assert message.seq <= last_seq + 1
        last_seq = max(last_seq, message.seq)
    return last_seq
