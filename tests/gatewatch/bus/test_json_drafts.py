"""Records packed into messages."""

from __future__ import annotations

import json

import msgspec
import pytest

from gatewatch.bus.json_drafts import json_drafts


class Item(msgspec.Struct):
    text: str


def test_lines_keep_their_order_and_messages_their_limit() -> None:
    items = [Item("x" * length) for length in (1, 30, 5, 60, 2)]
    drafts = list(json_drafts("topic", "key", items, 80))
    lines = [json.loads(line) for draft in drafts for line in draft.value.split(b"\n")]
    assert [line["text"] for line in lines] == [item.text for item in items]
    assert all(len(draft.value) <= 80 for draft in drafts)
    assert sum(draft.records for draft in drafts) == len(items)
    assert len(drafts) < len(items)


def test_nothing_gives_no_message() -> None:
    assert list(json_drafts("topic", "key", [], 80)) == []


def test_a_record_that_fits_in_no_message_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than a message"):
        list(json_drafts("topic", "key", [Item("x" * 100)], 80))
