"""The lab's DNS messages: a known answer byte for byte, round trips, and nonsense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarder.lab.dns_message import BadMessage, Question, answers, pack_answer, pack_question, read_question

LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
NAME = st.lists(LABEL, min_size=1, max_size=6).map(".".join)


def test_messages_as_the_standard_draws_them() -> None:
    question = Question(0x1234, "a.lab")
    assert pack_question(question).hex() == "123401000001000000000000" + "0161036c6162000001" + "0001"
    assert pack_answer(question, "10.0.2.11").hex() == (
        "123485000001000100000000" + "0161036c616200" + "00010001" + "c00c00010001" + "0000003c" + "0004" + "0a00020b"
    )
    assert pack_answer(question, None)[:12].hex() == "123485030001000000000000"


@given(st.integers(0, 65_535), NAME, st.sampled_from([None, "10.0.2.11"]))
def test_a_question_finds_its_answer(identifier: int, name: str, address: str | None) -> None:
    question = Question(identifier, name)
    assert read_question(pack_question(question)) == question
    assert answers(pack_answer(question, address), question)
    assert not answers(pack_answer(question, address), Question(identifier ^ 1, name))
    assert not answers(pack_answer(question, address), Question(identifier, name + ".x"))
    assert not answers(pack_question(question), question)


@given(st.binary(max_size=80))
def test_any_bytes_give_a_question_or_bad_message(message: bytes) -> None:
    try:
        question = read_question(message)
    except BadMessage:
        return
    assert question.identifier == int.from_bytes(message[:2], "big")


@pytest.mark.parametrize("name", ["", "a..b", "x" * 64, ".".join(["x" * 60] * 5)])
def test_a_name_that_cannot_be_sent_is_refused(name: str) -> None:
    with pytest.raises(BadMessage):
        pack_question(Question(1, name))
