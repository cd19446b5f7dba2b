"""The embedded bus: the spool files themselves are the bus; a consumer reads every one in the folder.

A consumer looks at each file's `data_version` every `LOOK_S` seconds (a read of shared memory, no disk) and asks for
rows only when it changed.  New files are found once in `DISCOVER_S`; a file made anew (another inode) is a new stream.
A file that is damaged is put aside, and one that cannot be read just now is tried again; neither holds up the others.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from gatewatch.bus import spool
from gatewatch.bus.message import Draft, Message, TopicCount
from gatewatch.database.read_only import read_only

LOOK_S = 0.05
DISCOVER_S = 0.5
#: Bytes of message bodies one poll returns at most (one message may go beyond).
POLL_BYTES_MAX = 64 << 20


class EmbeddedPublisher:
    """Appends to the service's spool; consumers read it there."""

    def __init__(self, path: Path, limits: spool.SpoolLimits) -> None:
        self._spool = spool.Spool(path, limits)

    @property
    def origin(self) -> str:
        """Service and identity of the spool."""
        return self._spool.origin

    def publish(self, drafts: Sequence[Draft], *, source: tuple[str, int] | None = None) -> None:
        """Append all or nothing; on disk on return."""
        self._spool.append(drafts, source=source)

    def source_position(self, name: str) -> int:
        """The last position stored with `source`, 0 before the first."""
        return self._spool.source_position(name)

    def counts(self) -> list[TopicCount]:
        """The books, a line per topic."""
        return self._spool.counts()

    def flush(self, timeout_s: float) -> bool:
        """The spool is the bus: always True."""
        return True

    def close(self) -> None:
        """Close the spool."""
        self._spool.close()


class _Source:
    """One spool file as a consumer sees it."""

    def __init__(self, path: Path, consumer: str, topics: Sequence[str], positions: Mapping[str, int]) -> None:
        self.path = path
        self.inode = path.stat().st_ino
        self.connection = spool.join(path)
        self._consumer = consumer
        self._version = -1
        self._more = True
        try:
            self._enter(topics, positions)
        except BaseException:
            self.connection.close()
            raise

    def _enter(self, topics: Sequence[str], positions: Mapping[str, int]) -> None:
        self.origin: str = self.connection.execute("select origin from identity").fetchone()[0]
        self.next_seq = {topic: positions.get(f"{topic}:{self.origin}", 1) for topic in topics}
        # Being on record from the start keeps messages of its topics from being counted as wanted by nobody.
        self.acknowledge(self.next_seq)

    def read(self, messages_max: int, bytes_max: int) -> list[Message]:
        version = self.connection.execute("pragma data_version").fetchone()[0]
        if version == self._version and not self._more:
            return []
        found: list[Message] = []
        self._more = True
        try:
            complete = self._read_topics(found, messages_max, bytes_max)
        except sqlite3.Error:
            if not found:
                raise
            return found  # what was read must not be lost; the next reading fails again if it has to
        if complete:
            self._version, self._more = version, False
        return found

    def _read_topics(self, found: list[Message], messages_max: int, bytes_max: int) -> bool:
        size = 0
        for topic, next_seq in self.next_seq.items():
            for message in spool.read(self.connection, topic, next_seq, messages_max - len(found)):
                found.append(message)
                self.next_seq[topic] = message.seq + 1
                size += len(message.value)
                if size >= bytes_max:
                    break
            if len(found) >= messages_max or size >= bytes_max:
                return False
        return True

    def acknowledge(self, positions: Mapping[str, int]) -> None:
        spool.acknowledge(self.connection, self._consumer, positions)

    def is_same_file(self) -> bool:
        try:
            return self.path.stat().st_ino == self.inode
        except FileNotFoundError:
            return False

    def close(self) -> None:
        self.connection.close()


class EmbeddedConsumer:
    """Reads `topics` from every spool of a folder, from `positions`, and finds new spools as they appear."""

    def __init__(
        self, folder: Path, name: str, topics: Sequence[str], positions: Mapping[str, int],
        *, clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._name = name
        self._topics = tuple(topics)
        self._positions = dict(positions)
        self._clock = clock
        self._sources: dict[Path, _Source] = {}
        self._discover_at_s = 0.0
        self._turn = 0
        self._damaged: dict[Path, int] = {}
        self._problems: dict[Path, str] = {}

    def poll(self, timeout_s: float, messages_max: int) -> list[Message]:
        """At most `messages_max` messages, in order within a stream; empty after `timeout_s` without any."""
        until_s = self._clock() + timeout_s
        while True:
            self._discover()
            found = self._read(messages_max)
            left_s = until_s - self._clock()
            if found or left_s <= 0:
                return found
            time.sleep(min(LOOK_S, left_s))

    def acknowledge(self, positions: Mapping[str, int]) -> None:
        """Tell each spool what is no longer needed."""
        self._positions.update(positions)
        for source in list(self._sources.values()):
            partitions = {topic: f"{topic}:{source.origin}" for topic in self._topics}
            mine = {topic: positions[name] for topic, name in partitions.items() if name in positions}
            if mine:
                with self._watched(source):
                    source.acknowledge(mine)

    def problem(self) -> str:
        """Which spools cannot be read now, and why."""
        return "; ".join(f"{path}: {problem}" for path, problem in sorted(self._problems.items()))

    def close(self) -> None:
        """Close the files."""
        for source in self._sources.values():
            source.close()
        self._sources.clear()

    def _read(self, messages_max: int) -> list[Message]:
        found: list[Message] = []
        sources = list(self._sources.values())
        bytes_left = POLL_BYTES_MAX
        for index in range(len(sources)):
            # Who is first changes from poll to poll, so that a busy service does not starve the others.
            source = sources[(self._turn + index) % len(sources)]
            fresh: list[Message] = []
            with self._watched(source):
                fresh = source.read(messages_max - len(found), bytes_left)
            found.extend(fresh)
            bytes_left -= sum(len(message.value) for message in fresh)
            if len(found) >= messages_max or bytes_left <= 0:
                break
        self._turn += 1
        return found

    def _discover(self) -> None:
        now_s = self._clock()
        if now_s < self._discover_at_s:
            return
        self._discover_at_s = now_s + DISCOVER_S
        for path, source in list(self._sources.items()):
            if not source.is_same_file():
                self._sources.pop(path).close()
        there = sorted(self._folder.glob("*.sqlite"))
        for path in there:
            if path not in self._sources:
                self._open(path)
        for path in self._problems.keys() - set(there):
            del self._problems[path]

    def _open(self, path: Path) -> None:
        try:
            inode = path.stat().st_ino
            if self._damaged.get(path) == inode or not _is_made(path):
                return
            self._sources[path] = _Source(path, self._name, self._topics, self._positions)
        except FileNotFoundError:
            return
        except sqlite3.Error as error:
            self._failed(path, inode, error)
        else:
            self._problems.pop(path, None)

    @contextmanager
    def _watched(self, source: _Source) -> Iterator[None]:
        """A spool that fails is closed, to be opened again or put aside; the others go on."""
        try:
            yield
        except sqlite3.Error as error:
            del self._sources[source.path]
            # It is read on from here, if it can be: what was read from it has been handed over.
            self._positions.update({f"{topic}:{source.origin}": seq for topic, seq in source.next_seq.items()})
            source.close()
            self._failed(source.path, source.inode, error)

    def _failed(self, path: Path, inode: int, error: sqlite3.Error) -> None:
        import structlog  # here: `gatewatch status` opens no bus and never logs

        log = structlog.get_logger("bus")
        if not isinstance(error, sqlite3.OperationalError):
            self._damaged[path] = inode
            log.error("a spool cannot be read; the others go on", spool=str(path), problem=str(error))
        elif self._problems.get(path) != str(error):
            log.warning("a spool cannot be read just now; trying on", spool=str(path), problem=str(error))
        self._problems[path] = str(error)


def _is_made(path: Path) -> bool:
    """Whether the file is a spool with its identity: its service may be in the middle of making it."""
    try:
        with read_only(path, spool.KIND) as connection:
            return bool(connection.execute("select count(*) from identity").fetchone()[0])
    except sqlite3.OperationalError:
        return False
