"""Messages between a service and the process for queries: whole or not at all, and without heavy imports."""

from __future__ import annotations

import io
import subprocess
import sys

import msgspec

from queries.sql_messages import Answer, Failure, read_message, write_message


def test_messages_come_as_they_were_sent() -> None:
    stream = io.BytesIO()
    for body in (b"", b"abc", b"x" * 100_000):
        write_message(stream, body)
    stream.seek(0)
    assert [read_message(stream) for _ in range(4)] == [b"", b"abc", b"x" * 100_000, None]


def test_a_message_that_was_cut_off_is_none() -> None:
    stream = io.BytesIO()
    write_message(stream, b"abc")
    assert read_message(io.BytesIO(stream.getvalue()[:-1])) is None
    assert read_message(io.BytesIO(stream.getvalue()[:5])) is None


def test_an_answer_keeps_nothing_apart_from_text() -> None:
    sent = Answer(columns=["a"], types=["INTEGER[]"], texts=[["[1]", None, ""]], json_texts={0: ["[1]", None, "[]"]},
                  failure=Failure(message="m", kind="type", line=1, column=2))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(sent), type=Answer) == sent


def test_whoever_asks_imports_no_database() -> None:
    program = "import sys, queries.sql_runner; print(*[name for name in ('pyarrow', 'numpy', 'duckdb') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
