"""The state store: one SQLite database that the API, the prober and the packet process share.

The API writes what shall be (through `writing`), the prober what it observed, the packet process reads both with
`desired`.  `revision` grows with every change of either, so that a reader may ask often and read seldom.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from forwarder.control import desired_reading, network_state
from forwarder.desired import Desired, TargetState
from forwarder.inventory import Attachment, Inventory
from gatewatch.database.kind import Kind, script
from gatewatch.database.opening import open_database
from gatewatch.database.transaction import transaction

KIND = Kind(
    name="state store", application_id=0x67775354, mark="load_balancers",
    steps=tuple(
        script(resources.files("forwarder.control").joinpath(name).read_text(encoding="utf-8"))
        for name in ("schema.sql", "network.sql", "secret.sql")
    ),
    damaged="moved away, the load balancers must be created again",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What the prober found out about a target: AWS's state, reason and description (both empty when healthy)."""

    target_group_arn: str
    target_id: str
    state: TargetState
    reason: str = ""
    description: str = ""


class Store:
    """An open state store.  Any thread may call any method; each thread has a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connections: dict[int, sqlite3.Connection] = {}
        self._opening = threading.Lock()
        # SQLite would let a second writer of this process wait too, but by sleeping; a lock wakes it at once.
        self._writing = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open the database at `path`, made or migrated if need be; `BadDatabase` if it cannot be used."""
        store = cls(path)
        store._connection()
        return store

    def close(self) -> None:
        """Close every thread's connection; the store is unusable afterwards."""
        with self._opening:
            for connection in self._connections.values():
                connection.close()
            self._connections.clear()

    def revision(self) -> int:
        """The number of changes so far, desired or observed."""
        return desired_reading.revision(self._connection())

    def desired(self) -> Desired:
        """One consistent reading of everything the packet process and the prober need."""
        with self.reading() as connection:
            return desired_reading.read_desired(connection)

    def flow_secret(self) -> bytes:
        """32 bytes that cookies, ports and the choice of targets come of; the same for every process on this store."""
        secret: bytes = self._connection().execute("SELECT value FROM secrets WHERE name = 'flows'").fetchone()[0]
        return secret

    def network(self) -> Inventory:
        """The network as it shall be."""
        with self.reading() as connection:
            return network_state.read_network(connection)

    def attach(self, thing: str, place: Attachment) -> bool:
        """Give an endpoint or a node its device; False when there is no such thing."""
        with self.writing() as connection, counting_changes(connection):
            return network_state.attach(connection, thing, place)

    def observe_network(self, present: Mapping[str, Collection[str]]) -> None:
        """Store which things are there, by kind; see `network_state.observe`."""
        with self.writing() as connection, counting_changes(connection):
            for kind, things in present.items():
                network_state.observe(connection, kind, things)

    def observe(self, observations: Sequence[Observation]) -> None:
        """Store what was observed.  A target that is draining, or gone, keeps what it has."""
        if not observations:
            return
        with self.writing() as connection, counting_changes(connection):
            connection.executemany(
                "UPDATE targets SET state = ?1, reason = ?2, description = ?3"
                " WHERE target_group_arn = ?4 AND id = ?5 AND deregistered_at_s IS NULL"
                " AND (state, reason, description) IS NOT (?1, ?2, ?3)",
                [(str(seen.state), seen.reason, seen.description, seen.target_group_arn, seen.target_id)
                 for seen in observations],
            )

    def activate(self, load_balancer_arns: Iterable[str]) -> None:
        """Turn `provisioning` into `active`: the packet process serves these load balancers now."""
        found = self._connection().execute("SELECT arn FROM load_balancers WHERE state = 'provisioning'").fetchall()
        waiting = {row["arn"] for row in found}.intersection(load_balancer_arns)
        if not waiting:
            return
        with self.writing() as connection, counting_changes(connection):
            connection.executemany(
                "UPDATE load_balancers SET state = 'active' WHERE arn = ? AND state = 'provisioning'",
                [(arn,) for arn in waiting],
            )

    def drop_drained(self, now_s: float) -> None:
        """Remove the targets whose deregistration delay is over at `now_s` (epoch seconds)."""
        draining = "SELECT 1 FROM targets WHERE deregistered_at_s IS NOT NULL LIMIT 1"
        if self._connection().execute(draining).fetchone() is None:
            return
        with self.writing() as connection, counting_changes(connection):
            connection.executemany(
                "DELETE FROM targets WHERE target_group_arn = ? AND deregistered_at_s + ? <= ?",
                [(arn, delay_s, now_s) for arn, delay_s in desired_reading.draining_delays(connection)],
            )

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection inside a read transaction: one state of the database, whoever writes meanwhile."""
        connection = self._connection()
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection inside a write transaction, committed at the end and rolled back on an exception."""
        with self._writing, transaction(self._connection()) as connection:
            yield connection

    def _connection(self) -> sqlite3.Connection:
        # A thread's number is used again only after the thread's end, so a connection never has two users at once.
        number = threading.get_ident()
        connection = self._connections.get(number)
        if connection is None:
            connection = _connect(self._path)
            with self._opening:
                self._connections[number] = connection
        return connection


@contextmanager
def counting_changes(connection: sqlite3.Connection) -> Iterator[None]:
    """Raise the revision if the rows written inside were any."""
    before = connection.total_changes
    yield
    if connection.total_changes != before:
        connection.execute("UPDATE counters SET value = value + 1 WHERE name = 'revision'")


def _connect(path: Path) -> sqlite3.Connection:
    # Durable: an answer to an API call means that its change and its audit event survive a power cut.
    connection = open_database(path, KIND)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    return connection
