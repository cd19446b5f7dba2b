"""What was found in each file of the lake, remembered as long as the file is there.

Published files never change, so nothing is read twice; what compaction replaced is forgotten with the next question, so
there is never more to remember than there are files to ask.  Safe to use from several threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Found = TypeVar("Found")


class FileMemory(Generic[Found]):
    """Remembers what `read` made of each path."""

    def __init__(self, read: Callable[[str], Found]) -> None:
        self._read = read
        self._remembered: dict[str, Found] = {}
        self._lock = threading.Lock()

    def of(self, paths: Sequence[str]) -> list[Found]:
        """What is in each of the files, in their order; from now on only these are remembered.  Raises what `read` does."""
        with self._lock:
            known = self._remembered
        found = {path: known[path] if path in known else self._read(path) for path in paths}
        with self._lock:
            self._remembered = found
        return [found[path] for path in paths]

    def __len__(self) -> int:
        return len(self._remembered)
