"""Which connections the port keeps: no more than it has room for, and no more of one client than leaves room for others.

A connection *waits* while no whole request head has come by it.  Whoever opens connections and says nothing drives out his
own: a new connection takes the place of the oldest that waits, of the same client, or where the port is full of any client.
Only where none waits is the new one told to come again.  No sockets and no clock here.
"""

from __future__ import annotations

from collections import Counter
from typing import Generic, TypeVar

Connection = TypeVar("Connection")


class Connections(Generic[Connection]):
    """All connections by client address, in the order of their opening.  Counts: `opened`, `gave_way`, `refused`."""

    def __init__(self, *, client_max: int, total_max: int) -> None:
        """`client_max`: connections of one address; `total_max`: of all."""
        self._client_max = client_max
        self._total_max = total_max
        self._clients: dict[Connection, str] = {}
        self._waiting: dict[Connection, None] = {}
        self._of_client: Counter[str] = Counter()
        self.opened = self.gave_way = self.refused = 0

    def __len__(self) -> int:
        return len(self._clients)

    def open(self, connection: Connection, client: str) -> tuple[Connection | None, bool]:
        """Take a connection: the one that must go for it (None: none has to), and whether there is room."""
        self.opened += 1
        self._clients[connection] = client
        self._of_client[client] += 1
        crowded = self._of_client[client] > self._client_max
        if not crowded and len(self._clients) <= self._total_max:
            self._waiting[connection] = None
            return None, True
        oldest = next((one for one in self._waiting if not crowded or self._clients[one] == client), None)
        self._waiting[connection] = None
        if oldest is None:
            self.refused += 1
            return None, False
        self.gave_way += 1
        self.close(oldest)
        return oldest, True

    def waits(self, connection: Connection, waiting: bool) -> None:
        """A request's head is awaited on it, or has come."""
        if connection not in self._clients:
            return
        if waiting:
            self._waiting.setdefault(connection)
        else:
            self._waiting.pop(connection, None)

    def close(self, connection: Connection) -> None:
        """Forget one; one that is not known is nothing."""
        client = self._clients.pop(connection, None)
        self._waiting.pop(connection, None)
        if client is not None:
            self._of_client[client] -= 1
            assert self._of_client[client] >= 0
            if not self._of_client[client]:
                del self._of_client[client]
