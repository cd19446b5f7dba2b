"""The access log on its way to the bus: books, bounds."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from forwarder.lab.access_log import AccessLog
from forwarder.lab.inspection import Seen
from gatewatch.bus.message import Draft, TopicCount
from gatewatch.records.appliance_access import ApplianceAccess

SEEN = Seen(1_000, 1_900, b"\xcb\0\x71\x0b", b"\x0a\0\x02\x0b", 40_000, 80, 6, "allow", "web", 3, 180, 0xABC, 77)


class Shelf:
    """A publisher that keeps what it is given."""

    origin = "appliance-1.00000000"

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.broken = False

    def publish(self, drafts: Sequence[Draft], *, source: tuple[str, int] | None = None) -> None:
        if self.broken:
            raise OSError("no space left")
        self.drafts += drafts

    def source_position(self, name: str) -> int:
        return 0

    def counts(self) -> list[TopicCount]:
        return []

    def flush(self, timeout_s: float) -> bool:
        return True

    def close(self) -> None:
        pass


def test_what_is_handed_over_is_published() -> None:
    shelf = Shelf()
    log = AccessLog(shelf, appliance_id="appliance-1", message_bytes_max=1_024)
    log.hand_over([SEEN] * 10)
    assert log.counts() == {"handed_over": 10, "published": 0, "held": 10, "lost": 0}
    log.publish()
    assert log.counts() == {"handed_over": 10, "published": 10, "held": 0, "lost": 0}
    assert {(draft.topic, draft.key) for draft in shelf.drafts} == {("gatewatch.appliance-access", "appliance-1")}
    records = [msgspec.json.decode(line, type=ApplianceAccess) for draft in shelf.drafts for line in draft.value.split(b"\n")]
    assert len(records) == 10
    assert records[0].srcaddr == "203.0.113.11"


def test_lines_beyond_the_bound_are_lost_and_counted() -> None:
    log = AccessLog(Shelf(), appliance_id="a", message_bytes_max=1_024, lines_held_max=5)
    log.hand_over([SEEN] * 3)
    log.hand_over([SEEN] * 4)
    assert log.counts() == {"handed_over": 7, "published": 0, "held": 5, "lost": 2}


def test_what_could_not_be_published_is_kept_for_the_next_time() -> None:
    shelf = Shelf()
    log = AccessLog(shelf, appliance_id="a", message_bytes_max=1_024)
    log.hand_over([SEEN] * 3)
    shelf.broken = True
    with pytest.raises(OSError, match="no space"):
        log.publish()
    assert log.counts() == {"handed_over": 3, "published": 0, "held": 3, "lost": 0}
    shelf.broken = False
    log.publish()
    assert log.counts() == {"handed_over": 3, "published": 3, "held": 0, "lost": 0}


def test_nothing_seen_is_no_message() -> None:
    shelf = Shelf()
    AccessLog(shelf, appliance_id="a", message_bytes_max=1_024).publish()
    assert shelf.drafts == []
