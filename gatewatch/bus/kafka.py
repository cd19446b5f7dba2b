"""Kafka as the bus: what a service publishes goes to its spool, and a relay thread moves it from there to the broker.

The relay is the spool's one consumer.  It sends in order with an idempotent producer and moves its position only past
messages that all in-sync replicas have, in order; so a broker that is away costs nothing but spool space, and after
a failure some messages may be sent twice (consumers skip them by seq) but none is left out and none overtakes another.
A stream stays on the partition first chosen for it (by crc32 of its origin), also when partitions are added later.
"""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import threading
import time
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError, TopicAlreadyExistsError

from gatewatch.bus import spool
from gatewatch.bus.message import Draft, Message, TopicCount
from gatewatch.database.transaction import transaction
from gatewatch.settings import BadSetting, Settings

SCHEME = "kafka://"
#: What may be sent and not acknowledged at once.
WINDOW_MESSAGES_MAX = 512
WINDOW_BYTES_MAX = 16 << 20
RETRY_S_MAX = 5.0
IDLE_S = 0.5
#: How long one send may block for metadata, and so how long closing may take with the broker away.
BLOCK_MS = 3_000
REQUEST_MS = 10_000
DELIVERY_MS = 30_000
#: Room for headers and the batch around a body.
ENVELOPE_BYTES = 65_536

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where the brokers are and how topics are made: `servers` is `host:port[,host:port]`."""

    servers: str
    partitions: int
    replicas: int
    message_bytes_max: int


def cluster_of(settings: Settings) -> Cluster:
    """The cluster that the settings name; `BadSetting` for an address without a port."""
    servers = settings.bus.removeprefix(SCHEME)
    for server in servers.split(","):
        if not server.rpartition(":")[2].isdecimal():
            raise BadSetting(f"setting bus is {settings.bus!r}; {server!r} has no port: write kafka://host:port")
    return Cluster(
        servers=servers, partitions=settings.kafka_partitions,
        replicas=settings.kafka_replicas, message_bytes_max=settings.message_bytes_max,
    )


def reach(cluster: Cluster) -> None:
    """Return if a broker accepts connections, else `OSError`.  Asked before a client is made: kafka-python leaves
    sockets to the garbage collector when it cannot bootstrap, and an outage means many tries."""
    failure: OSError = OSError(f"no broker is named in {cluster.servers!r}")
    for server in cluster.servers.split(","):
        host, _, port = server.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=BLOCK_MS / 1000).close()
        except OSError as error:
            failure = error
        else:
            return
    raise failure


def make_topics(cluster: Cluster, topics: Sequence[str]) -> None:
    """Make the topics that are not there; `KafkaError` or `OSError` when the cluster is away or refuses."""
    reach(cluster)
    admin = KafkaAdminClient(
        bootstrap_servers=cluster.servers.split(","), request_timeout_ms=REQUEST_MS, bootstrap_timeout_ms=BLOCK_MS,
    )
    try:
        largest = max(1_048_588, cluster.message_bytes_max + ENVELOPE_BYTES)
        for topic in sorted(set(topics) - set(admin.list_topics())):
            form = {
                "num_partitions": cluster.partitions, "replication_factor": cluster.replicas,
                "configs": {"max.message.bytes": str(largest)},
            }
            # Another service may be making it at the same moment.
            with contextlib.suppress(TopicAlreadyExistsError):
                admin.create_topics({topic: form}, wait_for_metadata=True)
    finally:
        admin.close()


class KafkaPublisher:
    """Appends to the service's spool and relays it; the thread opens its sockets where the publisher was made."""

    def __init__(self, path: Path, limits: spool.SpoolLimits, cluster: Cluster) -> None:
        self._spool = spool.Spool(path, limits, relayed=True)
        self._relay = Relay(path, cluster)
        self._relay.start()

    @property
    def origin(self) -> str:
        """Service and identity of the spool."""
        return self._spool.origin

    def publish(self, drafts: Sequence[Draft], *, source: tuple[str, int] | None = None) -> None:
        """Append all or nothing; in the spool on return, whatever the broker does."""
        self._spool.append(drafts, source=source)
        self._relay.wake()

    def source_position(self, name: str) -> int:
        """The last position stored with `source`, 0 before the first."""
        return self._spool.source_position(name)

    def counts(self) -> list[TopicCount]:
        """The books, a line per topic."""
        return self._spool.counts()

    def flush(self, timeout_s: float) -> bool:
        """Wait until nothing is held; False when the broker did not take all in time.

        False at once when no broker accepts a connection: the spool keeps what it holds, and whoever stops the services
        of a host should not wait for each in turn.
        """
        until_s = time.monotonic() + timeout_s
        attempts = self._relay.attempts
        self._relay.hurry()
        while any(count.held for count in self.counts()):
            if time.monotonic() >= until_s or self._relay.unreached > attempts:
                return False
            self._relay.moved.wait(0.05)
            self._relay.moved.clear()
        return True

    def close(self) -> None:
        """Stop the relay and close the spool; what the broker has not taken stays in it."""
        self._relay.stop()
        self._spool.close()


class Relay:
    """The thread from spool to broker.  It has connections of its own and touches no one else's state."""

    def __init__(self, path: Path, cluster: Cluster) -> None:
        self.moved = threading.Event()
        #: How many attempts began, and which was the last that no broker let in.
        self.attempts = 0
        self.unreached = 0
        self._path = path
        self._cluster = cluster
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kafka-relay", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Say that there is something new."""
        self._wake.set()

    def hurry(self) -> None:
        """Make the next attempt now instead of waiting."""
        self._hurry.set()

    def stop(self) -> None:
        """Stop; the message at hand may have been sent without its position noted."""
        self._stop.set()
        self._wake.set()
        self._hurry.set()
        self._thread.join(2 * BLOCK_MS / 1000)

    def _run(self) -> None:
        wait_s = 0.1
        while not self._stop.is_set():
            moved = 0
            try:
                moved = self._relay_until_failure()
            # The thread's outermost loop.  Whatever it is, the spool holds the messages; the next round begins with
            # a producer of its own at the first message not acknowledged.
            except (KafkaError, OSError, sqlite3.Error) as error:
                _log.warning("the relay to kafka failed", error=str(error) or type(error).__name__, retry_s=wait_s)
            wait_s = 0.1 if moved else min(2 * wait_s, RETRY_S_MAX)
            self._hurry.wait(wait_s)
            self._hurry.clear()

    def _relay_until_failure(self) -> int:
        self.attempts += 1
        connection = spool.join(self._path)
        try:
            self._reach()
            producer = _producer(self._cluster)
            try:
                return _Window(connection, producer, self._cluster).move(self._stop, self._wake, self.moved)
            finally:
                producer.close(timeout=0)
        finally:
            connection.close()

    def _reach(self) -> None:
        try:
            reach(self._cluster)
        except OSError:
            self.unreached = self.attempts
            raise


class _Window:
    """What has been sent and not acknowledged yet, in the order of sending."""

    def __init__(self, connection: sqlite3.Connection, producer: Any, cluster: Cluster) -> None:
        self._connection = connection
        self._producer = producer
        self._cluster = cluster
        self._sent: deque[tuple[Message, Any]] = deque()
        self._bytes = 0
        self._next = dict(
            connection.execute("select topic, next_seq from positions where consumer = ?", (spool.RELAY,)).fetchall()
        )
        self._partitions: dict[str, int] = {}

    def move(self, stop: threading.Event, wake: threading.Event, moved: threading.Event) -> int:
        """Send and acknowledge until told to stop or something fails (`KafkaError`)."""
        count = 0
        while not stop.is_set():
            wake.clear()
            self._send()
            if not self._sent:
                wake.wait(IDLE_S)
                continue
            count += self._settle(stop)
            moved.set()
        return count

    def _send(self) -> None:
        topics = [row[0] for row in self._connection.execute("select topic from topics order by topic").fetchall()]
        unknown = [topic for topic in topics if topic not in self._partitions]
        if unknown:
            make_topics(self._cluster, unknown)
            for topic in unknown:
                self._partitions[topic] = self._partition(topic)
        for topic in topics:
            room = WINDOW_MESSAGES_MAX - len(self._sent)
            if room <= 0 or self._bytes >= WINDOW_BYTES_MAX:
                return
            for message in spool.read(self._connection, topic, self._next.get(topic, 1), room):
                self._sent.append((message, self._post(message)))
                self._next[topic] = message.seq + 1
                self._bytes += len(message.value)
                if self._bytes >= WINDOW_BYTES_MAX:
                    return

    def _post(self, message: Message) -> Any:
        headers = {
            **message.headers, "origin": message.origin, "seq": str(message.seq), "records": str(message.records),
        }
        return self._producer.send(
            message.topic, value=message.value, key=message.key.encode(), partition=self._partitions[message.topic],
            headers=[(name, value.encode()) for name, value in headers.items()],
        )

    def _settle(self, stop: threading.Event) -> int:
        """Wait for the oldest, then note all that are done up to the first that is not."""
        positions: dict[str, int] = {}
        count = 0
        oldest = self._sent[0][1]
        while not oldest.is_done and not stop.is_set():
            with contextlib.suppress(KafkaTimeoutError):
                oldest.get(timeout=IDLE_S)
        if oldest.failed():
            raise oldest.exception
        while self._sent and self._sent[0][1].succeeded():
            message, _ = self._sent.popleft()
            self._bytes -= len(message.value)
            positions[message.topic] = message.seq + 1
            count += 1
        if positions:
            spool.acknowledge(self._connection, spool.RELAY, positions)
        return count

    def _partition(self, topic: str) -> int:
        there = self._producer.partitions_for(topic)
        row = self._connection.execute("select partition from partitions where topic = ?", (topic,)).fetchone()
        if row is not None and row[0] in there:
            return int(row[0])
        origin = self._connection.execute("select origin from identity").fetchone()[0]
        partition = sorted(there)[zlib.crc32(origin.encode()) % len(there)]
        with transaction(self._connection):
            self._connection.execute(
                "insert into partitions values (?, ?) on conflict do update set partition = excluded.partition",
                (topic, partition),
            )
        return int(partition)


def _producer(cluster: Cluster) -> Any:
    return KafkaProducer(
        bootstrap_servers=cluster.servers.split(","), client_id="gatewatch", acks="all", enable_idempotence=True,
        compression_type="lz4", batch_size=256 << 10, linger_ms=5, max_block_ms=BLOCK_MS, request_timeout_ms=REQUEST_MS,
        delivery_timeout_ms=DELIVERY_MS, max_request_size=max(2 << 20, 2 * cluster.message_bytes_max),
        reconnect_backoff_max_ms=1_000, bootstrap_timeout_ms=BLOCK_MS, allow_auto_create_topics=False,
    )
