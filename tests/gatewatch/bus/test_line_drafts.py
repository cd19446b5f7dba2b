"""Lines packed into messages: none lost, none split, none larger than it must be."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gatewatch.bus.line_drafts import line_drafts

LINES = st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"-")))


@given(lines=LINES, bytes_max=st.integers(1, 60))
def test_lines_keep_their_order_and_messages_their_limit(lines: list[bytes], bytes_max: int) -> None:
    drafts = list(line_drafts("topic", "key", lines, bytes_max))
    assert [line for draft in drafts for line in draft.value.split(b"\n")] == lines
    assert sum(draft.records for draft in drafts) == len(lines)
    assert all(len(draft.value) <= bytes_max or draft.records == 1 for draft in drafts)
    assert {(draft.topic, draft.key) for draft in drafts} <= {("topic", "key")}


@given(lines=LINES, bytes_max=st.integers(1, 60))
def test_a_message_ends_only_where_the_next_line_has_no_room(lines: list[bytes], bytes_max: int) -> None:
    values = [draft.value for draft in line_drafts("topic", "key", lines, bytes_max)]
    for value, following in pairwise(values):
        assert len(value) + 1 + len(following.split(b"\n")[0]) > bytes_max
