"""The embedded bus: one consumer reads all spools in order, finds new ones, and resumes where it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatewatch.bus import spool
from gatewatch.bus.embedded import EmbeddedConsumer, EmbeddedPublisher
from gatewatch.bus.message import Draft, Message

LIMITS = spool.SpoolLimits(message_bytes_max=100_000, spool_bytes_max=1 << 20, keep_s=0)


def draft(topic: str, text: str) -> Draft:
    return Draft(topic=topic, key="k", value=text.encode(), records=1, headers={"format": "ä"})


def publisher(data: Path, service: str) -> EmbeddedPublisher:
    return EmbeddedPublisher(spool.spool_path(data, service), LIMITS)


def consumer(data: Path, positions: dict[str, int] | None = None, topics: tuple[str, ...] = ("a", "b")) -> EmbeddedConsumer:
    return EmbeddedConsumer(spool.spool_folder(data), "ingest", topics, positions or {})


def test_a_message_arrives_as_it_was_published(tmp_path: Path) -> None:
    one, reader = publisher(tmp_path, "api"), consumer(tmp_path)
    one.publish([draft("a", "x")])
    assert reader.poll(1, 10) == [Message(
        topic="a", key="k", value=b"x", records=1, headers={"format": "ä"}, origin=one.origin, seq=1,
        partition=f"a:{one.origin}", offset=1,
    )]
    assert reader.poll(0, 10) == []
    assert one.flush(0)
    reader.close()
    one.close()


@pytest.mark.parametrize("name", ["my #1 lab", "what?", "100%41"])
def test_a_data_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    one, reader = publisher(tmp_path / name, "api"), consumer(tmp_path / name)
    one.publish([draft("a", "x")])
    assert [message.value for message in reader.poll(1, 10)] == [b"x"]
    reader.close()
    one.close()


def test_polls_are_bounded_and_miss_nothing(tmp_path: Path) -> None:
    one, reader = publisher(tmp_path, "api"), consumer(tmp_path)
    one.publish([draft(topic, str(number)) for number in range(10) for topic in "ab"])
    polls = []
    while found := reader.poll(0, 3):
        polls.append(found)
    assert max(map(len, polls)) == 3
    for topic in "ab":
        assert [m.seq for found in polls for m in found if m.topic == topic] == list(range(1, 11))
    reader.close()
    one.close()


def test_only_the_topics_asked_for_arrive(tmp_path: Path) -> None:
    one, reader = publisher(tmp_path, "api"), consumer(tmp_path, topics=("b",))
    one.publish([draft("a", "x"), draft("b", "y")])
    assert [message.topic for message in reader.poll(1, 10)] == ["b"]
    reader.close()
    one.close()


def test_a_service_that_starts_later_is_found(tmp_path: Path) -> None:
    reader = consumer(tmp_path)
    assert reader.poll(0, 10) == []
    one = publisher(tmp_path, "api")
    one.publish([draft("a", "x")])
    assert [message.origin for message in reader.poll(2, 10)] == [one.origin]
    reader.close()
    one.close()


def test_a_spool_made_anew_is_a_new_stream_from_its_beginning(tmp_path: Path) -> None:
    one, reader = publisher(tmp_path, "api"), consumer(tmp_path)
    one.publish([draft("a", "x")] * 3)
    assert len(reader.poll(1, 10)) == 3
    one.close()
    for path in spool.spool_folder(tmp_path).iterdir():
        path.unlink()
    # A file of the same name: another inode, so the old connection must be given up.
    (tmp_path / "keeps-the-inode").write_text("")
    again = publisher(tmp_path, "api")
    again.publish([draft("a", "y")])
    found = reader.poll(2, 10)
    assert [(m.value, m.origin, m.seq) for m in found] == [(b"y", again.origin, 1)]
    reader.close()
    again.close()


def test_a_consumer_resumes_at_its_positions(tmp_path: Path) -> None:
    one = publisher(tmp_path, "api")
    one.publish([draft("a", str(number)) for number in range(5)])
    reader = consumer(tmp_path, {f"a:{one.origin}": 4})
    assert [message.seq for message in reader.poll(1, 10)] == [4, 5]
    reader.close()
    one.close()


def test_acknowledged_messages_leave_the_spool(tmp_path: Path) -> None:
    one, reader = publisher(tmp_path, "api"), consumer(tmp_path)
    one.publish([draft("a", "x")] * 4)
    assert len(reader.poll(1, 10)) == 4
    reader.acknowledge({f"a:{one.origin}": 4, "a:someone.else": 9})
    count = one.counts()[0]
    assert (count.acknowledged, count.held) == (3, 1)
    one.publish([draft("a", "y")])
    reader.close()
    late = consumer(tmp_path)
    assert [message.seq for message in late.poll(1, 10)] == [4, 5]
    late.close()
    one.close()


def test_a_busy_service_does_not_starve_the_others(tmp_path: Path) -> None:
    busy, quiet, reader = publisher(tmp_path, "a-busy"), publisher(tmp_path, "quiet"), consumer(tmp_path)
    busy.publish([draft("a", "x")] * 50)
    quiet.publish([draft("a", "y")])
    services = {message.origin for _ in range(2) for message in reader.poll(1, 5)}
    assert services == {busy.origin, quiet.origin}
    reader.close()
    busy.close()
    quiet.close()


def test_a_half_made_spool_is_left_alone(tmp_path: Path) -> None:
    spool.spool_folder(tmp_path).mkdir()
    (spool.spool_folder(tmp_path) / "api.sqlite").write_bytes(b"")
    reader = consumer(tmp_path)
    assert reader.poll(0, 10) == []
    reader.close()


def test_a_damaged_spool_is_told_once_and_stops_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, moments = publisher(tmp_path, "api"), iter(range(100))
    damaged = spool.spool_path(tmp_path, "aaa")
    damaged.write_bytes(b"no database " * 400)
    reader = EmbeddedConsumer(spool.spool_folder(tmp_path), "ingest", ("a",), {}, clock=lambda: float(next(moments)))
    one.publish([draft("a", "x")])
    assert [message.value for message in reader.poll(0, 10)] == [b"x"]
    one.publish([draft("a", "y")])
    assert [message.value for message in reader.poll(0, 10)] == [b"y"]
    assert "".join(capsys.readouterr()).count("a spool cannot be read") == 1
    damaged.unlink()
    mended = publisher(tmp_path, "aaa")
    mended.publish([draft("a", "z")])
    assert [message.value for message in reader.poll(0, 10)] == [b"z"]
    reader.close()
    one.close()
    mended.close()


def test_a_spool_damaged_in_the_middle_stops_no_other_and_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("aaa", "bbb"):
        one = publisher(tmp_path, name)
        one.publish([draft("a", "x" * 3_000) for _ in range(100)])
        one.close()
    damaged = spool.spool_path(tmp_path, "aaa")
    content = damaged.read_bytes()
    middle = len(content) // 2
    damaged.write_bytes(content[:middle] + b"\xa5" * 100_000 + content[middle + 100_000:])
    reader = EmbeddedConsumer(spool.spool_folder(tmp_path), "ingest", ("a",), {})
    found = [message for _ in range(5) for message in reader.poll(0, 1_000)]
    assert [message.seq for message in found if message.origin.startswith("bbb")] == list(range(1, 101))
    assert "".join(capsys.readouterr()).count("a spool cannot be read") == 1
    assert reader.problem().startswith(f"{damaged}: ")
    reader.acknowledge({found[-1].partition: 101})
    reader.close()


def test_a_spool_that_fails_once_is_read_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, moments = publisher(tmp_path, "api"), iter(range(100))
    reader = EmbeddedConsumer(spool.spool_folder(tmp_path), "ingest", ("a", "b"), {}, clock=lambda: float(next(moments)))
    one.publish([draft("a", "1"), draft("a", "2"), draft("b", "3"), draft("a", "4")])
    read, calls = spool.read, []

    def flaky(connection: sqlite3.Connection, topic: str, next_seq: int, messages_max: int) -> Iterator[Message]:
        for message in read(connection, topic, next_seq, messages_max):
            calls.append(message.seq)
            if len(calls) in (2, 3):
                raise sqlite3.OperationalError("disk I/O error")
            yield message

    monkeypatch.setattr(spool, "read", flaky)
    # The second message fails: the first has been read; then it fails again and the spool is opened anew.
    assert [message.value for message in reader.poll(0, 10)] == [b"1"]
    assert reader.poll(0, 10) == []
    assert "disk I/O error" in reader.problem()
    assert [message.value for message in reader.poll(0, 10)] == [b"2", b"4", b"3"]
    assert reader.problem() == ""
    reader.close()
    one.close()
