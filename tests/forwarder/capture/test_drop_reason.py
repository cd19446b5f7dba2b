"""The list of reasons is closed and every one is explained."""

from __future__ import annotations

import re

import pytest

from forwarder.capture.drop_reason import DROP_REASONS, NUMBERS, DropReason, Hop


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


def test_numbers_never_change() -> None:
    assert {str(reason): number for reason, number in NUMBERS.items()} == {
        "no_load_balancer": 1, "no_listener": 2, "no_target": 3, "malformed": 4, "oversize": 5, "unknown_flow": 6,
        "receive_queue_full": 7, "send_failed": 8, "not_returned": 9, "deliver_failed": 10, "return_queue_full": 11,
        "return_malformed": 12, "return_unknown_endpoint": 13, "return_inner_malformed": 14, "return_oversize": 15,
        "return_wrong_protocol": 16, "return_unknown_flow": 17, "return_wrong_target": 18, "return_wrong_port": 19,
        "return_wrong_cookie": 20,
    }
    assert set(NUMBERS) == set(DropReason)
