"""Files are read once, and forgotten when they are no longer listed."""

from __future__ import annotations

import pytest

from queries.file_memory import FileMemory


def test_a_file_is_read_once_while_it_is_listed() -> None:
    read: list[str] = []

    def length(path: str) -> int:
        read.append(path)
        return len(path)

    memory = FileMemory(length)
    assert memory.of(["a", "bb"]) == [1, 2]
    assert memory.of(["bb", "ccc", "a"]) == [2, 3, 1]
    assert read == ["a", "bb", "ccc"]


def test_what_is_listed_no_more_is_forgotten() -> None:
    memory = FileMemory(len)
    for number in range(10):
        memory.of([str(number), str(number + 1)])
    assert len(memory) == 2
    memory.of([])
    assert len(memory) == 0


def test_a_file_that_cannot_be_read_costs_nothing_that_is_known() -> None:
    def read(path: str) -> int:
        if path == "gone":
            raise FileNotFoundError(path)
        return 1

    memory = FileMemory(read)
    memory.of(["a"])
    with pytest.raises(FileNotFoundError):
        memory.of(["a", "gone"])
    assert len(memory) == 1
