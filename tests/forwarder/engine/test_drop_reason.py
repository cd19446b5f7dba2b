"""The list of reasons is closed and every one is explained."""

from __future__ import annotations

import re

import pytest

from forwarder.engine.drop_reason import DROP_REASONS, DropReason, Hop


def test_every_reason_has_its_text() -> None:
    assert set(DROP_REASONS) == set(DropReason)


@pytest.mark.parametrize("reason", DropReason)
def test_a_reason_is_a_plain_word_explained_in_sentences(reason: DropReason) -> None:
    text = DROP_REASONS[reason]
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", reason.value)
    assert text.meaning.endswith(".")
    assert text.action.endswith(".")


def test_reasons_of_the_return_hop_say_so_in_their_name() -> None:
    assert [reason for reason in DropReason if reason.startswith("return_")] == [
        reason for reason in DropReason if DROP_REASONS[reason].hop is Hop.RETURN
    ]
