"""Messages, and what a publisher and a consumer do, whichever bus carries them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message before it has its place: `value` holds `records` newline-joined records (design: contracts)."""

    topic: str
    key: str
    value: bytes
    records: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message with its place.  `origin` and `topic` name a stream, `seq` (from 1, no gaps) the place in it.

    `partition` and `offset` say where a consumer read it: `topic:partition-number@topic-id` and the Kafka offset, or
    `topic:origin` and the seq on the embedded bus.  A consumer resumes at `offset + 1` of each partition.
    `problem` is why this is no message but something a foreign producer, or damage, left in its place: then `value` is
    what there is of it, whole, and not records; empty for every other.
    """

    topic: str
    key: str
    value: bytes
    records: int
    headers: Mapping[str, str]
    origin: str
    seq: int
    partition: str
    offset: int
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicCount:
    """What a publisher did in one topic since its spool was made.  messages = acknowledged + held + given_up.

    Status files have these fields under these names.
    """

    topic: str
    messages: int
    records: int
    acknowledged: int
    held: int
    given_up: int


class Publisher(Protocol):
    """Where a service puts its messages.  `publish` returns once they are on disk, whatever the broker does."""

    @property
    def origin(self) -> str:
        """Name of this stream of messages: the service and the identity of its spool."""

    def publish(self, drafts: Sequence[Draft], *, source: tuple[str, int] | None = None) -> None:
        """Append all or nothing.  `source` (name, position) is stored with them, to move another log exactly once."""

    def source_position(self, name: str) -> int:
        """The last position stored with `source`, 0 before the first."""

    def counts(self) -> list[TopicCount]:
        """The books, a line per topic."""

    def flush(self, timeout_s: float) -> bool:
        """Wait until the broker has acknowledged everything; False when it did not in time, at once when it cannot
        be reached.  Embedded: True at once."""

    def close(self) -> None:
        """Stop the relay thread and close the spool; what was not acknowledged stays in it for the next start."""


class Consumer(Protocol):
    """Where a service reads messages, from the positions it stored itself."""

    def poll(self, timeout_s: float, messages_max: int) -> list[Message]:
        """At most `messages_max` messages, in order within a partition; empty after `timeout_s` without any."""

    def acknowledge(self, positions: Mapping[str, int]) -> None:
        """Tell the bus the next offset wanted of each partition, so that it may forget what lies before."""

    def problem(self) -> str:
        """Why some or all of the bus cannot be read now; empty when it can."""

    def close(self) -> None:
        """Leave the bus."""
