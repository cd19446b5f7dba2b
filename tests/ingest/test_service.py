"""The whole of ingest as a process: quick, exact under kill -9 on both buses, and honest about gaps and failures."""

from __future__ import annotations

import errno
import itertools
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kafka import KafkaProducer

from gatewatch.bus import Message, Publisher, open_publisher
from gatewatch.bus.embedded import EmbeddedConsumer
from gatewatch.bus.kafka import cluster_of, make_topics
from gatewatch.records import topics
from gatewatch.records.topics import TOPICS
from gatewatch.settings import Settings
from gatewatch.status_file import read_status
from ingest.manifest import Manifest
from ingest.manifest_writer import ManifestWriter
from ingest.service import Ingest
from queries.books import chain
from tests.gatewatch.bus.test_kafka_records import raw_name
from tests.ingest.flow_messages import FORMAT, body, draft
from tests.kafka_broker import KafkaBroker

KILLS = 10
WAIT_S = 60.0
_SERVE = "import sys; from gatewatch.settings import load; from ingest.service import serve; serve(load())"


def until(what: Callable[[], bool]) -> None:
    """Wait for a condition, a minute at most."""
    end_s = time.monotonic() + WAIT_S
    tick = threading.Event()
    while not what():
        assert time.monotonic() < end_s, "what was waited for did not come"
        tick.wait(0.02)


@contextmanager
def running(settings: Settings) -> Iterator[Ingest]:
    stop, ingest = threading.Event(), Ingest(settings)
    thread = threading.Thread(target=ingest.run, args=(stop,))
    thread.start()
    try:
        yield ingest
    finally:
        stop.set()
        thread.join()


def numbers(data: Path) -> list[int]:
    files = Manifest.open_for_reading(data).files("flow_logs")
    return sorted(n for f in files for n in pq.read_table(f, columns=["bytes"], partitioning=None)["bytes"].to_pylist())


def test_a_message_becomes_readable_and_is_forgotten_by_the_bus(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path))
    manifest = Manifest.open_for_reading(tmp_path)
    publisher = open_publisher(settings, "forwarder")
    with running(settings):
        for first in (0, 10):
            publisher.publish([draft(body(first, 10, int(time.time())), 10)])
            until(lambda first=first: manifest.row_count("flow_logs") == first + 10)  # type: ignore[misc]
        until(lambda: publisher.counts()[0].held == 0)
    status = read_status(tmp_path, "ingest")
    assert status is not None
    assert (status["messages"], status["rows"], status["rejected"], status["errors"]) == (2, 20, 0, 0)
    assert status["stopped"] is True
    assert numbers(tmp_path) == list(range(20))
    publisher.close()


def test_what_the_spool_gave_up_is_a_gap(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path), spool_bytes_max=1_048_576)
    publisher = open_publisher(settings, "forwarder")
    value = body(0, 800)
    for _ in range(30):
        publisher.publish([draft(value, 800)])
    count = publisher.counts()[0]
    assert count.given_up > 0
    manifest = Manifest.open_for_reading(tmp_path)
    with running(settings):
        until(lambda: manifest.row_count("flow_logs") == 800 * count.held)
    gap = manifest.gaps()[0]
    assert (gap.first_seq, gap.last_seq) == (1, count.given_up)
    stream = manifest.streams()[0]
    assert (stream.messages, stream.gaps, stream.last_seq) == (count.held, count.given_up, 30)
    publisher.close()


def test_a_batch_that_fails_is_counted_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data=str(tmp_path))
    publisher = open_publisher(settings, "forwarder")
    publisher.publish([draft(body(0, 5), 5)])
    commit, failures = ManifestWriter.commit, [OSError("disk full"), OSError("disk full")]

    def flaky(self: ManifestWriter, what: object) -> None:
        if failures:
            raise failures.pop()
        commit(self, what)  # type: ignore[arg-type]

    monkeypatch.setattr(ManifestWriter, "commit", flaky)
    with running(settings):
        until(lambda: Manifest.open_for_reading(tmp_path).row_count("flow_logs") == 5)
    status = read_status(tmp_path, "ingest")
    assert status is not None
    assert (status["errors"], status["rows"]) == (2, 5)
    assert "disk full" in status["last_error"]
    publisher.close()


def test_a_poll_that_fails_loses_nothing_and_ingest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data=str(tmp_path))
    publisher = open_publisher(settings, "forwarder")
    publisher.publish([draft(body(number, 1), 1) for number in range(3)])
    poll, turns = EmbeddedConsumer.poll, itertools.count()

    def flaky(self: EmbeddedConsumer, timeout_s: float, messages_max: int) -> list[Message]:
        if next(turns) % 2:
            raise RuntimeError("whatever")
        return poll(self, timeout_s, 1)

    monkeypatch.setattr(EmbeddedConsumer, "poll", flaky)
    with running(settings):
        until(lambda: Manifest.open_for_reading(tmp_path).row_count("flow_logs") == 3)
    publisher.close()
    status = read_status(tmp_path, "ingest")
    assert status is not None
    assert status["errors"] > 0
    assert "the bus was not read: RuntimeError: whatever" in status["last_error"]
    assert Manifest.open_for_reading(tmp_path).gaps() == []


def test_the_same_failure_is_logged_now_and_then_and_shown_while_it_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(data=str(tmp_path))
    publisher = open_publisher(settings, "forwarder")
    publisher.publish([draft(body(0, 5), 5)])
    commit, broken = ManifestWriter.commit, [True]

    def full(self: ManifestWriter, what: object) -> None:
        if broken:
            raise OSError(errno.ENOSPC, "No space left on device")
        commit(self, what)  # type: ignore[arg-type]

    def status() -> dict[str, Any]:
        return read_status(tmp_path, "ingest") or {"errors": 0, "problem": ""}

    monkeypatch.setattr(ManifestWriter, "commit", full)
    with running(settings):
        until(lambda: status()["errors"] >= 3)
        assert "No space left on device" in status()["problem"]
        broken.clear()
        until(lambda: status()["problem"] == "")
    assert 1 <= "".join(capsys.readouterr()).count("a batch was not written") < status()["errors"]
    assert Manifest.open_for_reading(tmp_path).row_count("flow_logs") == 5
    publisher.close()


def test_a_commit_has_a_bounded_number_of_records_and_none_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.service.COMMIT_RECORDS_MAX", 10)
    settings = Settings(data=str(tmp_path))
    publisher = open_publisher(settings, "forwarder")
    publisher.publish([draft(body(first, count), count) for first, count in ((0, 4), (4, 6), (10, 1), (11, 30), (41, 2))])
    manifest = Manifest.open_for_reading(tmp_path)
    with running(settings):
        until(lambda: manifest.row_count("flow_logs") == 43)
    publisher.close()
    assert numbers(tmp_path) == list(range(43))
    status = read_status(tmp_path, "ingest")
    assert status is not None
    assert status["commits"] == 4


def test_a_clock_set_back_does_not_make_ingest_seem_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest = Ingest(Settings(data=str(tmp_path)))
    written = []
    for steady_s, now_s in ((10.0, 5_000.0), (10.5, 5_000.5), (11.0, 1_400.0)):
        monkeypatch.setattr("ingest.service.time", SimpleNamespace(time=lambda t=now_s: t, monotonic=lambda t=steady_s: t))
        ingest._write_status()
        status = read_status(tmp_path, "ingest")
        assert status is not None
        written.append(status["time"])
    assert written == [5_000.0, 5_000.0, 1_400.0]
    ingest._pipeline.close()


@pytest.mark.broker
@pytest.mark.timeout(900)
def test_rubbish_of_other_producers_is_set_aside_and_counted_and_ingest_goes_on(
    tmp_path: Path, own_kafka_broker: KafkaBroker
) -> None:
    settings = Settings(data=str(tmp_path), bus=f"kafka://{own_kafka_broker.bootstrap}", kafka_partitions=1)
    make_topics(cluster_of(settings), TOPICS)
    rubbish: list[tuple[str, bytes | None, list[tuple[str, bytes]]]] = [
        (topics.FLOW_LOGS, b"x", [(raw_name(b"\xff"), b"")]),
        (topics.FLOW_LOGS, None, []),
        (topics.FLOW_LOGS, b"x" * 900_000, [("format", b"${no-such-field}")]),
        (topics.FLOW_LOGS, body(0, 1) + b"\n\xff\xfe", [("format", FORMAT.encode()), ("seq", b"9" * 5_000), ("origin", b"o")]),
        (topics.METRICS, b"\x00" * 100, []),
        (topics.AUDIT, b'{"eventTime": 1}\n[[[', [("origin", b"o"), ("seq", b"x")]),
    ]
    with closing(KafkaProducer(bootstrap_servers=own_kafka_broker.bootstrap)) as producer:
        for topic, value, headers in rubbish:
            producer.send(topic, key=b"k", value=value, headers=headers, partition=0).get(timeout=10)
    publisher = open_publisher(settings, "forwarder")
    publisher.publish([draft(body(1, 5), 5)])
    manifest = Manifest.open_for_reading(tmp_path)
    with running(settings):
        until(lambda: manifest.row_count("flow_logs") == 6 and manifest.row_count("rejects") == 7)
    publisher.close()
    rejects = pa.concat_tables(pq.read_table(path, partitioning=None) for path in manifest.files("rejects")).to_pylist()
    assert {(reject["origin"], reject["seq"]) for reject in rejects} == {("", 0)}
    assert [f"the value is empty ({topics.FLOW_LOGS}:0 offset 1)"] == [
        reject["reason"] for reject in rejects if "empty" in reject["reason"]
    ]
    assert b"\xff\xfe" in {reject["record"] for reject in rejects}
    foreign = {each.topic: each for each in manifest.streams() if not each.origin}
    counts = {topic: (each.messages, each.records, each.rows, each.rejected) for topic, each in foreign.items()}
    assert counts == {topics.FLOW_LOGS: (4, 5, 1, 4), topics.METRICS: (1, 1, 0, 1), topics.AUDIT: (1, 2, 0, 2)}
    status = read_status(tmp_path, "ingest")
    assert status is not None
    assert (status["rejected"], status["errors"]) == (7, 0)
    assert chain(tmp_path).differences == []


def test_ingest_does_not_hold_a_message_back_for_a_second() -> None:
    assert Settings().ingest_poll_s + Settings().ingest_batch_s < 1


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_row_once_under_kill_9_on_the_embedded_bus(tmp_path: Path) -> None:
    kill_ingest_again_and_again(Settings(data=str(tmp_path)), tmp_path)


@pytest.mark.slow
@pytest.mark.broker
@pytest.mark.timeout(900)
def test_every_row_once_under_kill_9_on_kafka(tmp_path: Path, kafka_broker: str) -> None:
    kill_ingest_again_and_again(Settings(data=str(tmp_path), bus=f"kafka://{kafka_broker}"), tmp_path)


def kill_ingest_again_and_again(settings: Settings, data: Path) -> None:
    """Publish without pause while ingest is killed `KILLS` times at random moments; then every row is there once."""
    publisher, stop = open_publisher(settings, "forwarder"), threading.Event()
    published: list[int] = []
    thread = threading.Thread(target=_publish, args=(publisher, stop, published))
    thread.start()
    try:
        dice = random.Random(len(settings.bus))
        for _ in range(KILLS):
            rows = Manifest.open_for_reading(data).row_count("flow_logs")
            with _ingest(settings) as child:
                # Each life gets something done, then is cut short anywhere in its work.
                until(lambda rows=rows: Manifest.open_for_reading(data).row_count("flow_logs") > rows)  # type: ignore[misc]
                with pytest.raises(subprocess.TimeoutExpired):
                    child.wait(dice.uniform(0.0, 0.4))
                child.kill()
    finally:
        stop.set()
        thread.join()
    with _ingest(settings) as child:
        until(lambda: Manifest.open_for_reading(data).row_count("flow_logs") >= len(published) * 50)
        child.terminate()
        assert child.wait(WAIT_S) == 0
    assert numbers(data) == list(range(len(published) * 50))
    manifest = Manifest.open_for_reading(data)
    assert manifest.gaps() == []
    stream = manifest.streams()[0]
    assert (stream.messages, stream.last_seq, stream.rows) == (len(published), len(published), len(published) * 50)
    publisher.close()


def _publish(publisher: Publisher, stop: threading.Event, published: list[int]) -> None:
    while not stop.wait(0.01):
        publisher.publish([draft(body(len(published) * 50, 50), 50)])
        published.append(len(published))


def _ingest(settings: Settings) -> subprocess.Popen[bytes]:
    environment = {
        "GATEWATCH_DATA": settings.data, "GATEWATCH_BUS": settings.bus, "GATEWATCH_INGEST_BATCH_S": "0.1",
        "GATEWATCH_COMPACT_FILES_MIN": "3", "GATEWATCH_LOG_LEVEL": "error", "PATH": "/usr/bin:/bin",
    }
    return subprocess.Popen([sys.executable, "-W", "ignore", "-c", _SERVE], env=environment, cwd=Path(__file__).parents[2])
