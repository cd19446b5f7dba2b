"""What passes between a service and the process that runs users' SQL (`sql_worker`), and imports nothing heavy.

Every message is a length (8 bytes, big-endian) and that many bytes.  The first request is a `WorkerSettings`, each further
one a `Request`, answered by an `Answer`; all are MessagePack.
"""

from __future__ import annotations

from typing import IO

import msgspec

_LENGTH_BYTES = 8


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker is told once: the only folder it may read, and its limits."""

    folder: str
    time_s: float
    rows_max: int
    memory_mb: int


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A statement and the files of every table of the lake, as paths below its folder."""

    sql: str
    files: dict[str, list[str]]


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """`SqlError` on its way; `kind` may also be `file`: a file went away, ask again with a new list."""

    message: str
    kind: str
    line: int | None = None
    column: int | None = None
    hint: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a statement: a result as `ResultText` has it, or why there is none."""

    columns: list[str] = []
    types: list[str] = []
    texts: list[list[str | None]] = []
    json_texts: dict[int, list[str | None]] = {}
    elapsed_s: float = 0.0
    truncated: bool = False
    failure: Failure | None = None


def read_message(stream: IO[bytes]) -> bytes | None:
    """The next message, None when the other side has closed the stream."""
    head = stream.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        return None
    size = int.from_bytes(head, "big")
    body = stream.read(size)
    return body if len(body) == size else None


def write_message(stream: IO[bytes], body: bytes) -> None:
    """Send one message."""
    stream.write(len(body).to_bytes(_LENGTH_BYTES, "big") + body)
    stream.flush()
