"""Reading from a real Kafka: positions, new partitions, other people's messages, and the lag that Kafka's tools show."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from gatewatch.bus import spool
from gatewatch.bus.kafka import Cluster, KafkaPublisher, make_topics
from gatewatch.bus.kafka_consumer import KafkaBusConsumer
from gatewatch.bus.message import Draft, Message
from tests.gatewatch.bus.test_kafka_records import raw_name
from tests.kafka_broker import KafkaBroker, free_port

LIMITS = spool.SpoolLimits(message_bytes_max=65_536, spool_bytes_max=1 << 24, keep_s=60)
WAIT_S = 60.0


def cluster(bootstrap: str) -> Cluster:
    return Cluster(servers=bootstrap, partitions=2, replicas=1, message_bytes_max=65_536)


def read(consumer: KafkaBusConsumer, count: int) -> list[Message]:
    found: list[Message] = []
    until_s = time.monotonic() + WAIT_S
    while len(found) < count and time.monotonic() < until_s:
        found += consumer.poll(0.2, 1_000)
    return found


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


@pytest.fixture
def producer(kafka_broker: str) -> Iterator[Any]:
    one = KafkaProducer(bootstrap_servers=kafka_broker)
    yield one
    one.close()


def test_an_absent_broker_is_an_empty_poll() -> None:
    consumer = KafkaBusConsumer(cluster(f"127.0.0.1:{free_port()}"), "reader", ["t"], {})
    assert consumer.poll(0.0, 10) == []
    consumer.acknowledge({"t:0": 1})
    consumer.close()


def test_an_absent_broker_is_logged_now_and_then_and_not_each_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("Connection refused")

    monkeypatch.setattr("gatewatch.bus.kafka_consumer.make_topics", refuse)
    consumer = KafkaBusConsumer(cluster("127.0.0.1:1"), "ingest", ("a",), {})
    assert [consumer.poll(0, 1) for _ in range(5)] == [[]] * 5
    assert "".join(capsys.readouterr()).count("kafka cannot be read") == 1
    consumer._repeated._said.clear()  # as if it was long ago
    assert consumer.poll(0, 1) == []
    assert "".join(capsys.readouterr()).count("kafka cannot be read") == 1


@pytest.mark.broker
def test_reading_resumes_at_the_positions_given(kafka_broker: str, tmp_path: Path, topic: str) -> None:
    one = KafkaPublisher(tmp_path / "api.sqlite", LIMITS, cluster(kafka_broker))
    one.publish([Draft(topic=topic, key="", value=b"x", records=1)] * 10)
    assert one.flush(30)
    one.close()
    first = KafkaBusConsumer(cluster(kafka_broker), "reader", [topic], {})
    found = read(first, 10)
    first.acknowledge({found[9].partition: 10})
    first.close()
    second = KafkaBusConsumer(cluster(kafka_broker), "reader", [topic], {found[6].partition: found[6].offset + 1})
    assert [message.seq for message in read(second, 3)] == [8, 9, 10]
    second.close()


@pytest.mark.broker
def test_the_group_shows_how_far_it_is(kafka_broker: str, producer: Any, topic: str) -> None:
    make_topics(cluster(kafka_broker), [topic])
    for _ in range(3):
        producer.send(topic, value=b"x", partition=1).get(timeout=WAIT_S)
    consumer = KafkaBusConsumer(cluster(kafka_broker), topic, [topic], {})
    found = read(consumer, 3)
    assert len(found) == 3
    consumer.acknowledge({found[0].partition: 3})
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker)
    group, place = f"gatewatch-{topic}", TopicPartition(topic, 1)
    offset = None
    for _ in range(100):
        consumer.poll(0.1, 1)
        offsets = admin.list_group_offsets(group)
        offset = offsets[group].get(place) if group in offsets else offsets.get(place)
        if offset is not None:
            break
    assert offset is not None
    assert offset.offset == 3
    admin.close()
    consumer.close()


@pytest.mark.broker
def test_a_message_of_another_producer_has_no_origin(kafka_broker: str, producer: Any, topic: str) -> None:
    make_topics(cluster(kafka_broker), [topic])
    headers = [("seq", b"not a number"), ("origin", b"someone"), ("colour", b"\xff")]
    producer.send(topic, value=b"a\nb", partition=0).get(timeout=WAIT_S)
    producer.send(topic, value=None, key=b"k", partition=0, headers=headers).get(timeout=WAIT_S)
    consumer = KafkaBusConsumer(cluster(kafka_broker), "reader", [topic], {})
    first, second = read(consumer, 2)
    assert (first.origin, first.seq, first.records, first.value, first.key) == ("", 0, 2, b"a\nb", "")
    assert (second.origin, second.seq, second.value, second.key) == ("", 0, b"", "k")
    assert second.headers == {"colour": "�"}
    assert first.problem == ""
    assert second.problem == f"the value is empty ({topic}:0 offset 1)"
    consumer.close()


@pytest.mark.broker
def test_numbers_that_no_count_has_are_another_producers(kafka_broker: str, producer: Any, topic: str) -> None:
    make_topics(cluster(kafka_broker), [topic])
    for seq in (b"9" * 5_000, b"0", b"-1", "\u0663".encode(), b"1" + b"0" * 15):
        headers = [("origin", b"someone"), ("seq", seq), ("records", b"1")]
        producer.send(topic, value=b"x", partition=0, headers=headers).get(timeout=WAIT_S)
    producer.send(topic, value=b"x", partition=0, headers=[("origin", b"o" * 500), ("seq", b"1")]).get(timeout=WAIT_S)
    producer.send(topic, value=b"x", partition=0, headers=[("origin", b"o"), ("seq", b"7"), ("records", b"9" * 99)]).get(10)
    consumer = KafkaBusConsumer(cluster(kafka_broker), "reader", [topic], {})
    found = [(message.origin, message.seq, message.records) for message in read(consumer, 7)]
    assert found == [("", 0, 1)] * 6 + [("o", 7, 1)]
    consumer.close()


@pytest.mark.broker
def test_a_record_that_cannot_be_decoded_does_not_stop_its_partition(
    kafka_broker: str, producer: Any, topic: str
) -> None:
    make_topics(cluster(kafka_broker), [topic])
    for name in ("fine", raw_name(b"\xff\xfe"), "fine"):
        producer.send(topic, value=b"x", partition=0, headers=[(name, b"1")]).get(timeout=WAIT_S)
    consumer = KafkaBusConsumer(cluster(kafka_broker), "reader", [topic], {})
    found = read(consumer, 3)
    assert [message.offset for message in found] == [0, 1, 2]
    assert [bool(message.problem) for message in found] == [False, True, False]
    assert b"\xff\xfe" in found[1].value
    assert f"({topic}:0 offset 1)" in found[1].problem
    consumer.close()


@pytest.mark.broker
def test_an_aborted_transaction_is_not_read(kafka_broker: str, topic: str) -> None:
    make_topics(cluster(kafka_broker), [topic])
    one = KafkaProducer(bootstrap_servers=kafka_broker, transactional_id=topic)
    one.init_transactions()
    for value, end in ((b"no", one.abort_transaction), (b"yes", one.commit_transaction)):
        one.begin_transaction()
        one.send(topic, value=value, partition=0)
        one.flush()
        end()
    one.close()
    consumer = KafkaBusConsumer(cluster(kafka_broker), "reader", [topic], {})
    assert [message.value for message in read(consumer, 1)] == [b"yes"]
    consumer.close()


@pytest.mark.broker
def test_a_batch_that_rotted_on_the_brokers_disk_is_passed(own_kafka_broker: KafkaBroker, topic: str) -> None:
    where = cluster(own_kafka_broker.bootstrap)
    make_topics(where, [topic])
    with closing(KafkaProducer(bootstrap_servers=own_kafka_broker.bootstrap)) as one:
        for value in (b"before", b"rots away", b"behind"):
            one.send(topic, value=value, partition=0).get(timeout=WAIT_S)
    own_kafka_broker.stop()
    log = own_kafka_broker.folder / "log" / f"{topic}-0" / f"{0:020}.log"
    log.write_bytes(log.read_bytes().replace(b"rots away", b"rotted aw"))
    own_kafka_broker.start()
    consumer = KafkaBusConsumer(where, "reader", [topic], {})
    first, second, third = read(consumer, 3)
    assert (first.value, third.value) == (b"before", b"behind")
    assert "checksum is wrong" in second.problem
    assert b"rotted aw" in second.value
    consumer.close()


@pytest.mark.broker
def test_a_partition_added_later_is_read(
    kafka_broker: str, producer: Any, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gatewatch.bus.kafka_consumer.DISCOVER_S", 0.2)
    make_topics(cluster(kafka_broker), [topic])
    consumer = KafkaBusConsumer(cluster(kafka_broker), "reader", [topic], {})
    producer.send(topic, value=b"x", partition=0).get(timeout=WAIT_S)
    assert len(read(consumer, 1)) == 1
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker)
    admin.create_partitions({topic: 3})
    admin.close()
    late = KafkaProducer(bootstrap_servers=kafka_broker, metadata_max_age_ms=200)
    until_s = time.monotonic() + WAIT_S
    while 2 not in late.partitions_for(topic):  # the controller knows of it before the broker does
        assert time.monotonic() < until_s
        time.sleep(0.05)
    late.send(topic, value=b"y", partition=2).get(timeout=WAIT_S)
    late.close()
    [message] = read(consumer, 1)
    assert (message.partition.partition("@")[0], message.value) == (f"{topic}:2", b"y")
    consumer.close()


@pytest.mark.broker
def test_a_topic_made_anew_is_read_from_its_beginning(kafka_broker: str, topic: str) -> None:
    make_topics(cluster(kafka_broker), [topic])
    with closing(KafkaProducer(bootstrap_servers=kafka_broker)) as one:
        for _ in range(3):
            one.send(topic, value=b"old", partition=0).get(timeout=WAIT_S)
    first = KafkaBusConsumer(cluster(kafka_broker), "reader", [topic], {})
    last = read(first, 3)[-1]
    first.close()
    with closing(KafkaAdminClient(bootstrap_servers=kafka_broker)) as admin:
        admin.delete_topics([topic])
    make_anew(kafka_broker, topic)
    with closing(KafkaProducer(bootstrap_servers=kafka_broker)) as one:
        for _ in range(5):
            one.send(topic, value=b"new", partition=0).get(timeout=WAIT_S)
    second = KafkaBusConsumer(cluster(kafka_broker), "reader", [topic], {last.partition: last.offset + 1})
    assert [(message.value, message.offset) for message in read(second, 5)] == [(b"new", offset) for offset in range(5)]
    second.close()


def make_anew(bootstrap: str, topic: str) -> None:
    """The broker deletes in the background; until then there is the old one."""
    for _ in range(100):
        try:
            make_topics(cluster(bootstrap), [topic])
            with closing(KafkaProducer(bootstrap_servers=bootstrap)) as one:
                if len(one.partitions_for(topic)) == 2:
                    return
        except KafkaError:
            continue
    raise AssertionError(f"{topic} was not made anew")


@pytest.mark.broker
def test_positions_stored_without_the_topics_id_still_hold(kafka_broker: str, producer: Any, topic: str) -> None:
    make_topics(cluster(kafka_broker), [topic])
    for value in (b"a", b"b", b"c"):
        producer.send(topic, value=value, partition=0).get(timeout=WAIT_S)
    consumer = KafkaBusConsumer(cluster(kafka_broker), "reader", [topic], {f"{topic}:0": 2})
    assert [message.value for message in read(consumer, 1)] == [b"c"]
    consumer.close()
