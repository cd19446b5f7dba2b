"""The spool: one SQLite file a service, in which its messages wait until everyone who wants them has them.

Operations: append (all or nothing, with the position of another log), read from a seq, acknowledge, trim, give up,
count.  Invariants: `seq` of a topic has no gap and never repeats, whatever is killed and whenever; what is acknowledged
by nobody is deleted only when the spool is over its limit, and is then counted as given up; and always
messages = acknowledged + held + given_up.

Durability: WAL with `synchronous=FULL` for appends, one fsync a publish.  A killed process would lose nothing with
NORMAL either, but a power cut could take back the newest seqs after a consumer saw them; reused for other messages they
would be skipped as duplicates, a loss no one sees.  Positions of consumers are written with NORMAL: an old one only
means reading twice.  See docs/decisions/0050-spool-in-sqlite.md.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatewatch.bus.message import Draft, Message, TopicCount
from gatewatch.database import opening
from gatewatch.database.kind import Kind, script
from gatewatch.database.transaction import transaction
from gatewatch.lock_file import Held, hold, release
from gatewatch.refusal import Refusal

#: The relay to Kafka is a consumer of the spool; on that bus it alone decides what is acknowledged.
RELAY = "relay:kafka"
#: How many messages one append may delete, so that a long outage does not make one publish slow.
TRIM_MESSAGES_MAX = 2_000
BUSY_TIMEOUT_S = 30.0

_SCHEMA = """
create table identity (origin text not null, made_at_s real not null) strict;
create table topics (
  topic text primary key, last_seq integer not null default 0, records integer not null default 0,
  first_seq integer not null default 1, floor_seq integer not null default 0, given_up integer not null default 0,
  bytes integer not null default 0) strict;
create table messages (
  id integer primary key, topic text not null, seq integer not null, key text not null, value blob not null,
  records integer not null, headers text not null, at_s real not null) strict;
create unique index messages_by_seq on messages (topic, seq);
create table positions (consumer text, topic text, next_seq integer not null, primary key (consumer, topic)) strict;
create table partitions (topic text primary key, partition integer not null) strict;
create table sources (name text primary key, position integer not null) strict;
"""


KIND = Kind(
    name="spool", application_id=0x67775350, mark="topics", steps=(script(_SCHEMA),), first_pragmas=("auto_vacuum=incremental",),
    damaged="moved away, a new one begins, without the messages it still held",
)


class SpoolHeld(Refusal, RuntimeError):
    """Another process publishes from this spool."""


def spool_folder(data: Path) -> Path:
    """Where the spools of a data folder are."""
    return data / "spool"


def spool_path(data: Path, service: str) -> Path:
    """The spool of a service."""
    return spool_folder(data) / f"{service}.sqlite"


def join(path: Path) -> sqlite3.Connection:
    """Open a spool that its service made, for a reader who writes down how far it is."""
    return opening.join(path, KIND, busy_s=BUSY_TIMEOUT_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolLimits:
    """What bounds a spool: message and spool size in bytes, how long acknowledged messages stay, in seconds."""

    message_bytes_max: int
    spool_bytes_max: int
    keep_s: float


class Spool:
    """The writing side, held by one process at a time (`SpoolHeld` otherwise).  Safe to use from several threads."""

    def __init__(
        self, path: Path, limits: SpoolLimits, *, relayed: bool = False, clock: Callable[[], float] = time.time
    ) -> None:
        self.path = path
        self._limits = limits
        self._relayed = relayed
        self._clock = clock
        self._mutex = threading.Lock()
        try:
            self._lock = hold(path.with_suffix(".lock"))
        except Held as error:
            raise SpoolHeld(f"{error.holder} already publishes from {path}; stop it first") from None
        try:
            self._connection = opening.open_database(path, KIND, busy_s=BUSY_TIMEOUT_S)
            self.origin = self._identity()
        except BaseException:
            release(self._lock)
            raise

    def _identity(self) -> str:
        """The file's origin, given to it when it is new."""
        self._connection.execute("pragma journal_size_limit=16777216")
        with transaction(self._connection) as connection:
            connection.execute(
                "insert into identity select ?, ? where not exists (select 1 from identity)",
                (f"{self.path.stem}.{secrets.token_hex(4)}", self._clock()),
            )
            return str(connection.execute("select origin from identity").fetchone()[0])

    def append(self, drafts: Sequence[Draft], *, source: tuple[str, int] | None = None) -> None:
        """Store all drafts or none, durably; `ValueError` for one that is too large."""
        for draft in drafts:
            if len(draft.value) > self._limits.message_bytes_max:
                raise ValueError(
                    f"a message for {draft.topic} has {len(draft.value)} bytes; message_bytes_max allows "
                    f"{self._limits.message_bytes_max}: put fewer records into one message"
                )
        now_s = self._clock()
        with self._mutex, transaction(self._connection) as connection:
            _insert(connection, drafts, now_s)
            if source is not None:
                connection.execute(
                    "insert into sources values (?, ?) on conflict do update set position = excluded.position", source
                )
            self._trim(connection, now_s)

    def source_position(self, name: str) -> int:
        """The position last stored with `source`, 0 before the first."""
        with self._mutex:
            row = self._connection.execute("select position from sources where name = ?", (name,)).fetchone()
        return row[0] if row else 0

    def counts(self) -> list[TopicCount]:
        """The books, a line per topic, by name."""
        with self._mutex:
            rows = self._connection.execute(
                "select topic, last_seq, records, floor_seq, given_up from topics order by topic"
            ).fetchall()
            reached = self._reached(self._connection)
        return [_count(row, reached.get(row[0], 0)) for row in rows]

    def acknowledge(self, consumer: str, positions: Mapping[str, int]) -> None:
        """Set the next seq wanted by `consumer`, by topic."""
        with self._mutex:
            acknowledge(self._connection, consumer, positions)

    def trim(self) -> None:
        """Delete what may go now; appending does it too."""
        with self._mutex, transaction(self._connection) as connection:
            self._trim(connection, self._clock())

    def close(self) -> None:
        """Close the database and let another process have the spool."""
        with self._mutex:
            self._connection.close()
            release(self._lock)

    def _reached(self, connection: sqlite3.Connection) -> dict[str, int]:
        # The last seq that every consumer acknowledged.  Positions of the other bus, left by an earlier setting, do not
        # count: they would hold messages for ever or let them go before their reader had them.
        rows = connection.execute(
            "select topic, min(next_seq) - 1 from positions where (consumer = ?) = ? group by topic",
            (RELAY, self._relayed),
        )
        return dict(rows.fetchall())

    def _trim(self, connection: sqlite3.Connection, now_s: float) -> None:
        reached = self._reached(connection)
        for topic, first_seq in connection.execute("select topic, first_seq from topics").fetchall():
            last = min(reached.get(topic, 0), first_seq + TRIM_MESSAGES_MAX - 1)
            if last < first_seq:
                continue
            row = connection.execute(
                "select max(seq) from messages where topic = ? and seq <= ? and at_s <= ?",
                (topic, last, now_s - self._limits.keep_s),
            ).fetchone()
            if row[0] is not None:
                _delete(connection, topic, row[0], reached.get(topic, 0))
        self._shed(connection, reached)

    def _shed(self, connection: sqlite3.Connection, reached: Mapping[str, int]) -> None:
        over = connection.execute("select sum(bytes) from topics").fetchone()[0] or 0
        over -= self._limits.spool_bytes_max
        if over <= 0:
            return
        last: dict[str, int] = {}
        for topic, seq, size in connection.execute("select topic, seq, length(value) from messages order by id"):
            if over <= 0:
                break
            last[topic] = seq
            over -= size
        for topic, seq in last.items():
            _delete(connection, topic, seq, reached.get(topic, 0))


def read(connection: sqlite3.Connection, topic: str, next_seq: int, messages_max: int) -> Iterator[Message]:
    """Messages of a topic from `next_seq` on, in order; reading stops when the caller stops."""
    origin = connection.execute("select origin from identity").fetchone()[0]
    rows = connection.execute(
        "select seq, key, value, records, headers from messages where topic = ? and seq >= ? order by seq limit ?",
        (topic, next_seq, messages_max),
    )
    for seq, key, value, records, headers in rows:
        yield Message(
            topic=topic, key=key, value=value, records=records, headers=json.loads(headers), origin=origin, seq=seq,
            partition=f"{topic}:{origin}", offset=seq,
        )


def acknowledge(connection: sqlite3.Connection, consumer: str, positions: Mapping[str, int]) -> None:
    """Set the next seq wanted by `consumer`, by topic; a position never goes back."""
    with transaction(connection):
        connection.executemany(
            "insert into positions values (?, ?, ?)"
            " on conflict do update set next_seq = max(next_seq, excluded.next_seq)",
            [(consumer, topic, next_seq) for topic, next_seq in positions.items()],
        )


def _insert(connection: sqlite3.Connection, drafts: Sequence[Draft], now_s: float) -> None:
    by_topic: dict[str, list[Draft]] = {}
    for draft in drafts:
        by_topic.setdefault(draft.topic, []).append(draft)
    for topic, group in by_topic.items():
        connection.execute("insert or ignore into topics (topic) values (?)", (topic,))
        last_seq = connection.execute("select last_seq from topics where topic = ?", (topic,)).fetchone()[0]
        connection.executemany(
            "insert into messages (topic, seq, key, value, records, headers, at_s) values (?, ?, ?, ?, ?, ?, ?)",
            [
                (topic, seq, draft.key, draft.value, draft.records, json.dumps(dict(draft.headers)), now_s)
                for seq, draft in enumerate(group, last_seq + 1)
            ],
        )
        connection.execute(
            "update topics set last_seq = last_seq + ?, records = records + ?, bytes = bytes + ? where topic = ?",
            (len(group), sum(draft.records for draft in group), sum(len(draft.value) for draft in group), topic),
        )


def _delete(connection: sqlite3.Connection, topic: str, last_seq: int, reached_seq: int) -> None:
    """Delete a topic's messages up to `last_seq`; those nobody acknowledged (beyond `reached_seq`) are given up."""
    first_seq, floor_seq = connection.execute(
        "select first_seq, floor_seq from topics where topic = ?", (topic,)
    ).fetchone()
    size = connection.execute(
        "select coalesce(sum(length(value)), 0) from messages where topic = ? and seq <= ?", (topic, last_seq)
    ).fetchone()[0]
    connection.execute("delete from messages where topic = ? and seq <= ?", (topic, last_seq))
    assert last_seq >= first_seq, "messages go once, in order"
    lost = max(0, last_seq - max(reached_seq, first_seq - 1))
    connection.execute(
        "update topics set first_seq = ?, bytes = bytes - ?, given_up = given_up + ?, floor_seq = ? where topic = ?",
        (last_seq + 1, size, lost, last_seq if lost else floor_seq, topic),
    )


def _count(row: tuple[str, int, int, int, int], reached_seq: int) -> TopicCount:
    topic, last_seq, records, floor_seq, given_up = row
    # Everything up to floor_seq is either acknowledged or given up: what lies behind it was given up oldest first.
    done = min(max(reached_seq, floor_seq), last_seq)
    return TopicCount(
        topic=topic, messages=last_seq, records=records,
        acknowledged=done - given_up, held=last_seq - done, given_up=given_up,
    )
