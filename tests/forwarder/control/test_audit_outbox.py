"""Outbox to bus: nothing lost and nothing twice, whatever dies between any two steps."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forwarder.control.audit import put_in_outbox
from forwarder.control.audit_outbox import OutboxRelay
from forwarder.control.store import Store
from gatewatch.bus.message import Draft, TopicCount
from gatewatch.bus.open import open_publisher
from gatewatch.settings import Settings


class Killed(BaseException):
    """The process dies here."""


class MemoryPublisher:
    """A publisher whose log outlives the process; `dies` may kill before or after a publish is on disk."""

    origin = "api.test"

    def __init__(self) -> None:
        self.records: list[int] = []
        self.messages: list[Draft] = []
        self.positions: dict[str, int] = {}
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def publish(self, drafts: Sequence[Draft], *, source: tuple[str, int] | None = None) -> None:
        self.before()
        for draft in drafts:
            lines = draft.value.split(b"\n")
            assert len(lines) == draft.records
            self.records += [msgspec.json.decode(line)["n"] for line in lines]
        self.messages += drafts
        assert source is not None
        self.positions[source[0]] = source[1]
        self.after()

    def source_position(self, name: str) -> int:
        return self.positions.get(name, 0)

    def counts(self) -> list[TopicCount]:
        return []

    def flush(self, timeout_s: float) -> bool:
        return True

    def close(self) -> None:
        return None


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    made = Store.open(tmp_path / "state.sqlite")
    yield made
    made.close()


def write(store: Store, *numbers: int) -> None:
    for number in numbers:
        with store.writing() as connection:
            put_in_outbox(connection, msgspec.json.encode({"n": number}))


def relay_of(store: Store, publisher: Any, message_bytes_max: int = 1000) -> OutboxRelay:
    return OutboxRelay(store, publisher, key="123456789012", message_bytes_max=message_bytes_max)


def test_events_move_in_order_and_the_outbox_is_trimmed(store: Store) -> None:
    publisher = MemoryPublisher()
    relay = relay_of(store, publisher)
    assert relay.move() == 0
    write(store, 1, 2, 3)
    assert (relay.move(), relay.move()) == (3, 0)
    write(store, 4)
    relay.move()
    assert publisher.records == [1, 2, 3, 4]
    assert relay.counts() == {"written": 4, "moved": 4, "failures": 0, "held": 0}
    assert {(draft.topic, draft.key) for draft in publisher.messages} == {("gatewatch.audit", "123456789012")}


def test_messages_are_no_larger_than_the_limit(store: Store) -> None:
    publisher = MemoryPublisher()
    write(store, *range(100, 120))
    relay_of(store, publisher, message_bytes_max=30).move()
    assert publisher.records == list(range(100, 120))
    assert max(len(draft.value) for draft in publisher.messages) <= 30
    assert len(publisher.messages) == 7


@given(steps=st.lists(st.sampled_from(["write", "move", "die before", "die after", "restart"]), max_size=25))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_event_once_whatever_dies(tmp_path_factory: pytest.TempPathFactory, steps: list[str]) -> None:
    store = Store.open(tmp_path_factory.mktemp("store") / "state.sqlite")
    publisher = MemoryPublisher()
    relay = relay_of(store, publisher)
    written = 0

    def die() -> None:
        raise Killed

    for step in steps:
        if step == "write":
            written += 1
            write(store, written)
        elif step == "restart":
            relay = relay_of(store, publisher)
        else:
            publisher.before = die if step == "die before" else lambda: None
            publisher.after = die if step == "die after" else lambda: None
            try:
                relay.move()
            except Killed:
                relay = relay_of(store, publisher)
    publisher.before = publisher.after = lambda: None
    relay.move()
    assert publisher.records == list(range(1, written + 1))
    assert relay.counts()["held"] == 0
    store.close()


def test_a_new_store_beside_an_old_spool_begins_at_its_own_beginning(tmp_path: Path) -> None:
    publisher = MemoryPublisher()
    for name, numbers in (("first", (1, 2, 3)), ("second", (4,))):
        store = Store.open(tmp_path / name / "state.sqlite")
        write(store, *numbers)
        relay_of(store, publisher).move()
        store.close()
    assert publisher.records == [1, 2, 3, 4]


def test_with_the_real_spool_the_position_survives(tmp_path: Path, store: Store) -> None:
    real = Settings(data=str(tmp_path))
    publisher = open_publisher(real, "api")
    write(store, 1, 2)
    relay = relay_of(store, publisher)
    relay.move()
    with store.writing() as connection:  # as if the process had died before it could trim
        connection.execute("INSERT INTO audit_outbox VALUES (2, ?)", (msgspec.json.encode({"n": 2}),))
    write(store, 3)
    publisher.close()
    publisher = open_publisher(real, "api")
    relay = relay_of(store, publisher)
    assert relay.move() == 1
    (count,) = publisher.counts()
    assert (count.topic, count.records) == ("gatewatch.audit", 3)
    assert relay.counts()["held"] == 0
    publisher.close()


@pytest.mark.parametrize("failure", [sqlite3.OperationalError("disk is full"), RuntimeError("nobody thought of it")])
def test_the_thread_goes_on_after_a_failure_and_moves_the_rest_at_the_end(store: Store, failure: Exception) -> None:
    publisher = MemoryPublisher()
    failed = threading.Event()

    def fail_once() -> None:
        if not failed.is_set():
            failed.set()
            raise failure

    publisher.before = fail_once
    relay = relay_of(store, publisher)
    relay.start()
    write(store, 1)
    relay.wake()
    assert failed.wait(60)
    write(store, 2)
    relay.stop()
    assert publisher.records == [1, 2]
    assert relay.counts() == {"written": 2, "moved": 2, "failures": 1, "held": 0}
