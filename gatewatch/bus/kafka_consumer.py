"""Reading the bus from Kafka: partitions assigned by hand, from positions that the reader stores with what it wrote.

No consumer group decides what is read; offsets are committed to the group `gatewatch-<name>` all the same, so that
Kafka's own tools show the lag.  A message without origin and seq is of a producer that is not gatewatch: its origin is
empty and its seq 0.  What cannot be read is a message with a `problem`.  Aborted transactions are not read.  While the
broker is away, `poll` answers nothing and tries again.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from gatewatch.bus.kafka import BLOCK_MS, REQUEST_MS, Cluster, make_topics
from gatewatch.bus.kafka_records import PROBLEM, Place, read_past
from gatewatch.bus.message import Message
from gatewatch.repeated_error import RepeatedError

RETRY_S_MAX = 2.0
#: How often new partitions are looked for, and how often the group's offsets are committed, in seconds.
DISCOVER_S = 5.0
COMMIT_S = 2.0

#: Longest name of a stream; and its numbers have 15 digits at most, which no sum of them makes too large for SQLite.
ORIGIN_CHARACTERS_MAX = 200
_NUMBER = re.compile("[1-9][0-9]{0,14}")
_log = structlog.get_logger()


class KafkaBusConsumer:
    """Reads every partition of `topics` from `positions`, and finds partitions as they are added."""

    def __init__(self, cluster: Cluster, name: str, topics: Sequence[str], positions: Mapping[str, int]) -> None:
        self._cluster = cluster
        self._name = name
        self._topics = tuple(topics)
        self._next = dict(positions)
        # Positions stored before topics had their ids in them hold for the topic of that name.
        self._named_plainly = not any("@" in partition for partition in positions)
        self._consumer: Any = None
        #: What is read, by the name under which its position is kept.
        self._assigned: dict[str, Any] = {}
        self._discover_at_s = 0.0
        self._commit_at_s = 0.0
        self._retry_s = 0.1
        self._repeated = RepeatedError(_log)
        self._problem = ""
        self._damaged: set[Place] = set()

    def poll(self, timeout_s: float, messages_max: int) -> list[Message]:
        """At most `messages_max` messages, in order within a partition; empty after `timeout_s` without any."""
        try:
            if self._consumer is None:
                self._connect()
            self._discover()
            found = self._consumer.poll(timeout_ms=round(timeout_s * 1000), max_records=messages_max)
        except (KafkaError, OSError) as error:
            self._problem = str(error) or type(error).__name__
            self._repeated.warning("kafka cannot be read; trying on", error=self._problem)
            self._disconnect()
            time.sleep(min(self._retry_s, timeout_s))
            self._retry_s = min(2 * self._retry_s, RETRY_S_MAX)
            return []
        self._retry_s = 0.1
        self._problem = ""
        names = {place: name for name, place in self._assigned.items()}
        messages = [_message(record, names[place]) for place, records in found.items() for record in records]
        for message in messages:
            self._next[message.partition] = message.offset + 1
        return messages

    def acknowledge(self, positions: Mapping[str, int]) -> None:
        """Commit the positions to the group, once in `COMMIT_S`; they are for people, so nothing waits for them."""
        if self._consumer is None or time.monotonic() < self._commit_at_s:
            return
        self._commit_at_s = time.monotonic() + COMMIT_S
        offsets = {
            place: OffsetAndMetadata(positions[name], "", -1)
            for name, place in self._assigned.items() if name in positions
        }
        if offsets:
            self._consumer.commit_async(offsets, callback=_ignore_result)

    def problem(self) -> str:
        """Why the newest poll failed."""
        return self._problem

    def close(self) -> None:
        """Leave the broker."""
        self._disconnect()

    def _connect(self) -> None:
        make_topics(self._cluster, self._topics)
        self._consumer = KafkaConsumer(
            bootstrap_servers=self._cluster.servers.split(","), client_id=f"gatewatch-{self._name}",
            group_id=f"gatewatch-{self._name}", enable_auto_commit=False, auto_offset_reset="earliest",
            allow_auto_create_topics=False, metadata_max_age_ms=round(DISCOVER_S * 1000), max_partition_fetch_bytes=8 << 20,
            fetch_max_wait_ms=200, request_timeout_ms=REQUEST_MS, reconnect_backoff_max_ms=1_000,
            bootstrap_timeout_ms=BLOCK_MS, isolation_level="read_committed",
        )
        read_past(self._consumer, self._damaged)
        self._assigned = {}
        self._discover_at_s = 0.0

    def _disconnect(self) -> None:
        if self._consumer is not None:
            with contextlib.suppress(KafkaError, OSError):
                self._consumer.close(autocommit=False)
        self._consumer = None

    def _discover(self) -> None:
        now_s = time.monotonic()
        if now_s < self._discover_at_s:
            return
        self._discover_at_s = now_s + DISCOVER_S
        there = {
            _partition_name(topic, number, self._consumer._cluster.topic_id(topic)): TopicPartition(topic, number)
            for topic in self._topics for number in self._consumer.partitions_for_topic(topic) or ()
        }
        if there == self._assigned:
            return
        self._consumer.assign(sorted(there.values()))
        for name, place in there.items():
            # Without a stored position the beginning is wanted, not what the group committed.
            plain = self._next.get(_partition_name(place.topic, place.partition, None), 0) if self._named_plainly else 0
            self._consumer.seek(place, self._next.get(name, plain))
        self._assigned = there


def _partition_name(topic: str, number: int, topic_id: UUID | None) -> str:
    """The topic's id tells it from one that was deleted, or is on another cluster, whose offsets mean other messages."""
    return f"{topic}:{number}" if topic_id is None else f"{topic}:{number}@{topic_id}"


def _ignore_result(offsets: Any, result: Any) -> None:
    """The group's offsets are only shown; the ones that count are in the manifest."""


def _message(record: Any, partition: str) -> Message:
    headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    origin, seq, records = headers.pop("origin", ""), headers.pop("seq", ""), headers.pop("records", "")
    value = record.value or b""
    problem = headers.pop(PROBLEM, "") or ("" if value else "the value is empty")
    if problem:
        problem += f" ({record.topic}:{record.partition} offset {record.offset})"
    own = 0 < len(origin) <= ORIGIN_CHARACTERS_MAX and _number(seq) > 0 and not problem
    return Message(
        topic=record.topic, key=(record.key or b"").decode(errors="replace"), value=value,
        records=1 if problem else (own and _number(records)) or value.count(b"\n") + 1,
        headers=headers, origin=origin if own else "", seq=_number(seq) if own else 0,
        partition=partition, offset=record.offset, problem=problem,
    )


def _number(text: str) -> int:
    """A count as gatewatch writes it; 0 for anything else, since a header may hold whatever a producer likes."""
    return int(text) if _NUMBER.fullmatch(text) else 0
