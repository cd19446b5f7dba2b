"""The inventory file, read again when it changes; the last good reading stays while it is missing or wrong."""

from __future__ import annotations

import threading
from pathlib import Path

import structlog

from forwarder.inventory import BadInventory, Inventory, read_inventory


class InventoryFile:
    """`now` looks first, `current` is the last good reading, empty before the first; for several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.current = Inventory()
        self.problem = ""
        self._seen: tuple[int, int, int] | None = None
        self._looking = threading.Lock()
        self._log = structlog.get_logger()

    def now(self) -> Inventory:
        """The network as the file has it at this moment: who has just written it may name its subnets in a call."""
        self.look()
        return self.current

    def look(self) -> None:
        """Read the file if its identity, size or time differ from those last seen."""
        with self._looking:
            self._look()

    def _look(self) -> None:
        try:
            found = self.path.stat()
        except OSError as error:
            self._note(f"the inventory {self.path} cannot be read: {error.strerror}")
            self._seen = None
            return
        identity = (found.st_ino, found.st_size, found.st_mtime_ns)
        if identity == self._seen:
            return
        self._seen = identity
        try:
            self.current = read_inventory(self.path)
        except BadInventory as error:
            self._note(str(error))
            return
        self._note("")
        self._log.info("inventory read", path=str(self.path), vpcs=len(self.current.vpcs))

    def _note(self, problem: str) -> None:
        if problem and problem != self.problem:
            self._log.warning("inventory unusable", problem=problem)
        self.problem = problem
