"""The spool's promises: gapless seq, all or nothing, counted books, one holder, nothing lost to kill -9."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewatch.bus import spool
from gatewatch.bus.message import Draft, TopicCount

LIMITS = spool.SpoolLimits(message_bytes_max=1_000, spool_bytes_max=10_000, keep_s=60)


def draft(topic: str = "t", size: int = 10, records: int = 2) -> Draft:
    return Draft(topic=topic, key="eni-1", value=b"x" * size, records=records, headers={"format": "f"})


def books(one: spool.Spool) -> dict[str, tuple[int, int, int, int]]:
    return {c.topic: (c.messages, c.acknowledged, c.held, c.given_up) for c in one.counts()}


def seqs(path: Path, topic: str, next_seq: int = 1) -> list[int]:
    connection = spool.join(path)
    try:
        return [message.seq for message in spool.read(connection, topic, next_seq, 1_000_000)]
    finally:
        connection.close()


def test_seq_counts_per_topic_and_goes_on_after_reopening(tmp_path: Path) -> None:
    path = spool.spool_path(tmp_path, "forwarder")
    one = spool.Spool(path, LIMITS)
    one.append([draft("a"), draft("b"), draft("a")])
    origin = one.origin
    one.close()
    again = spool.Spool(path, LIMITS)
    again.append([draft("a")])
    assert again.origin == origin
    assert origin.startswith("forwarder.")
    assert seqs(path, "a") == [1, 2, 3]
    assert seqs(path, "b") == [1]
    assert again.counts()[0] == TopicCount(topic="a", messages=3, records=6, acknowledged=0, held=3, given_up=0)
    again.close()


def test_a_new_spool_has_a_new_origin(tmp_path: Path) -> None:
    origins = set()
    for number in range(3):
        one = spool.Spool(tmp_path / str(number) / "api.sqlite", LIMITS)
        origins.add(one.origin)
        one.close()
    assert len(origins) == 3


def test_append_is_all_or_nothing_with_its_source(tmp_path: Path) -> None:
    one = spool.Spool(tmp_path / "api.sqlite", LIMITS)
    one.append([draft()], source=("outbox", 7))
    with pytest.raises(ValueError, match="message_bytes_max allows 1000"):
        one.append([draft(), draft(size=1_001)], source=("outbox", 9))
    assert books(one) == {"t": (1, 0, 1, 0)}
    assert one.source_position("outbox") == 7
    assert one.source_position("other") == 0
    one.close()


def test_only_one_process_may_publish(tmp_path: Path) -> None:
    one = spool.Spool(tmp_path / "api.sqlite", LIMITS)
    with pytest.raises(spool.SpoolHeld, match="already publishes"):
        spool.Spool(tmp_path / "api.sqlite", LIMITS)
    one.close()
    spool.Spool(tmp_path / "api.sqlite", LIMITS).close()


def test_what_all_consumers_acknowledged_goes_when_it_is_old_enough(tmp_path: Path) -> None:
    now_s = [1_000.0]
    path = tmp_path / "api.sqlite"
    one = spool.Spool(path, LIMITS, clock=lambda: now_s[0])
    one.append([draft(), draft(), draft()])
    one.acknowledge("ingest", {"t": 3})
    one.acknowledge("other", {"t": 2})
    now_s[0] += 59
    one.trim()
    assert seqs(path, "t") == [1, 2, 3]
    now_s[0] += 2
    one.trim()
    assert seqs(path, "t") == [2, 3]
    assert books(one) == {"t": (3, 1, 2, 0)}
    one.acknowledge("other", {"t": 4})
    one.append([draft()])
    assert seqs(path, "t") == [3, 4]
    one.close()


def test_a_position_never_goes_back(tmp_path: Path) -> None:
    one = spool.Spool(tmp_path / "api.sqlite", LIMITS)
    one.append([draft()] * 3)
    one.acknowledge("ingest", {"t": 3})
    one.acknowledge("ingest", {"t": 1})
    assert books(one) == {"t": (3, 2, 1, 0)}
    one.close()


def test_positions_of_the_other_bus_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "api.sqlite"
    one = spool.Spool(path, LIMITS)
    one.append([draft()] * 3)
    one.acknowledge("ingest", {"t": 4})
    one.close()
    relayed = spool.Spool(path, LIMITS, relayed=True)
    assert books(relayed) == {"t": (3, 0, 3, 0)}
    relayed.acknowledge(spool.RELAY, {"t": 2})
    assert books(relayed) == {"t": (3, 1, 2, 0)}
    relayed.close()


def test_past_its_size_the_oldest_are_given_up_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "api.sqlite"
    one = spool.Spool(path, LIMITS)
    for _ in range(25):
        one.append([draft(size=1_000)])
    assert books(one) == {"t": (25, 0, 10, 15)}
    assert seqs(path, "t") == list(range(16, 26))
    one.acknowledge("ingest", {"t": 21})
    assert books(one) == {"t": (25, 5, 5, 15)}
    one.close()


def test_acknowledged_messages_are_not_counted_as_given_up(tmp_path: Path) -> None:
    one = spool.Spool(tmp_path / "api.sqlite", LIMITS)
    one.append([draft(size=1_000)] * 10)
    one.acknowledge("ingest", {"t": 9})
    one.append([draft(size=1_000)] * 10)
    assert books(one) == {"t": (20, 8, 10, 2)}
    one.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(
    st.tuples(st.just("append"), st.sampled_from("ab"), st.integers(1, 6), st.integers(1, 1_000)),
    st.tuples(st.just("acknowledge"), st.sampled_from("ab"), st.integers(1, 60), st.just(0)),
    st.tuples(st.just("pass"), st.just("a"), st.integers(0, 100), st.just(0)),
), max_size=40))
def test_the_books_always_balance(steps: list[tuple[str, str, int, int]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        now_s = [0.0]
        one = spool.Spool(Path(folder) / "api.sqlite", LIMITS, clock=lambda: now_s[0])
        published = {"a": 0, "b": 0}
        for kind, topic, number, size in steps:
            if kind == "append":
                one.append([draft(topic, size)] * number)
                published[topic] += number
            elif kind == "acknowledge":
                one.acknowledge("ingest", {topic: min(number, published[topic] + 1)})
            else:
                now_s[0] += number
                one.trim()
            for count in one.counts():
                assert count.messages == count.acknowledged + count.held + count.given_up == published[count.topic]
                assert min(count.acknowledged, count.held, count.given_up) >= 0
                kept = seqs(one.path, count.topic)
                assert kept == list(range(count.messages - len(kept) + 1, count.messages + 1))
                assert len(kept) >= count.held
        one.close()


_PUBLISH_FOR_EVER = """
import sys
from pathlib import Path
from gatewatch.bus import spool
from gatewatch.bus.message import Draft
one = spool.Spool(Path(sys.argv[1]), spool.SpoolLimits(message_bytes_max=9999, spool_bytes_max=1 << 30, keep_s=60))
while True:
    one.append([Draft(topic="t", key="", value=b"x" * 500, records=1)] * 3, source=("log", one.source_position("log") + 1))
    sys.stdout.write("+")
    sys.stdout.flush()
"""


@pytest.mark.slow
def test_nothing_published_is_lost_to_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "api.sqlite"
    dice, said = random.Random(50), 0
    for _ in range(10):
        with subprocess.Popen([sys.executable, "-c", _PUBLISH_FOR_EVER, str(path)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            said += len(child.stdout.read(dice.randint(1, 60)))
            child.send_signal(signal.SIGKILL)
            said += len(child.stdout.read())
    one = spool.Spool(path, spool.SpoolLimits(message_bytes_max=9999, spool_bytes_max=1 << 30, keep_s=60))
    there = seqs(path, "t")
    assert there == list(range(1, len(there) + 1))
    # A publish may be durable and its caller killed before it could say so: at most one each time.
    assert said <= one.source_position("log") <= said + 10
    assert len(there) == 3 * one.source_position("log")
    one.close()
