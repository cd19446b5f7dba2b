"""Ports of the packet loop that are made of lists: what waits, what was delivered or sent, and what failed."""

from __future__ import annotations

import os


class FakeEndpoint:
    """An endpoint's port made of lists; delivering fails for the packets in `unwilling`."""

    down = False
    frames_other = 0

    def __init__(self) -> None:
        self.waiting: list[bytes] = []
        self.closed = False
        self._descriptor = os.eventfd(0)
        self.delivered: list[bytes] = []
        self.unwilling: set[bytes] = set()
        self.drops = 0

    def fileno(self) -> int:
        return self._descriptor

    def receive(self, packets_max: int) -> list[bytes]:
        taken, self.waiting = self.waiting[:packets_max], self.waiting[packets_max:]
        return taken

    def new_batch(self) -> None: ...

    def deliver(self, inner: bytes) -> bool:
        if inner in self.unwilling:
            return False
        self.delivered.append(inner)
        return True

    def kernel_drops(self) -> int:
        drops, self.drops = self.drops, 0
        return drops

    def refuse_new(self) -> None: ...

    def close(self) -> None:
        assert not self.closed
        self.closed = True
        os.close(self._descriptor)


class FakeNode:
    """A node's port whose target gives back everything, with addresses swapped, unless `eats`."""

    address = "10.9.0.1"

    def __init__(self) -> None:
        self.closed = False
        self._descriptor = os.eventfd(0)
        self.returned: list[tuple[bytes, str, int]] = []
        self.eats = False
        self.full_after: int | None = None
        self.drops = 0

    def fileno(self) -> int:
        return self._descriptor

    def receive(self, datagrams_max: int) -> list[tuple[bytes, str, int]]:
        taken, self.returned = self.returned[:datagrams_max], self.returned[datagrams_max:]
        return taken

    def new_batch(self) -> None: ...

    def send(self, outer: bytes, target_address: str) -> bool:
        if self.full_after is not None:
            self.full_after -= 1
            if self.full_after < 0:
                return False
        if not self.eats:
            self.returned.append((outer[28:], target_address, int.from_bytes(outer[20:22], "big")))
        return True

    def kernel_drops(self) -> int:
        drops, self.drops = self.drops, 0
        return drops

    def refuse_new(self) -> None: ...

    def close(self) -> None:
        assert not self.closed
        self.closed = True
        os.close(self._descriptor)
