from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dashboards.answers import Answers, Failed, Good
from queries.flows import BadFilter
from queries.lake import QueryFailed


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_an_answer_is_kept_for_its_time_and_no_longer() -> None:
    clock, asked = Clock(), []
    answers = Answers(clock)

    def question() -> int:
        asked.append(clock.now_s)
        return len(asked)

    assert answers.ask("a", question, keep_s=10) == Good(1)
    clock.now_s = 9.9
    assert answers.ask("a", question, keep_s=10) == Good(1)
    clock.now_s = 10.0
    assert answers.ask("a", question, keep_s=10) == Good(2)
    assert (answers.counts.asked, answers.counts.kept, answers.counts.answered) == (3, 1, 2)


def test_questions_with_other_keys_have_their_own_answers() -> None:
    answers = Answers(Clock())
    assert answers.ask(("flows", 1), lambda: "one", keep_s=1) == Good("one")
    assert answers.ask(("flows", 2), lambda: "two", keep_s=1) == Good("two")


def test_ten_who_ask_at_once_are_one_question() -> None:
    answers, begun, go, asked = Answers(Clock()), threading.Event(), threading.Event(), []

    def slow() -> str:
        asked.append(1)
        begun.set()
        assert go.wait(60)
        return "rows"

    with ThreadPoolExecutor(10) as pool:
        first = pool.submit(answers.ask, "a", slow, keep_s=60)
        assert begun.wait(60)
        others = [pool.submit(answers.ask, "a", slow, keep_s=60) for _ in range(9)]
        while answers.counts.asked < 10:
            threading.Event().wait(0.001)
        go.set()
        assert {each.result(60).rows for each in [first, *others]} == {"rows"}
    assert len(asked) == 1
    assert answers.counts.waited == 9


@pytest.mark.parametrize("error", [QueryFailed("the manifest is broken"), BadFilter("the manifest is broken")])
def test_a_failure_is_an_answer_and_is_kept_too(error: Exception) -> None:
    answers, asked = Answers(Clock()), []

    def question() -> None:
        asked.append(1)
        raise error

    for _ in range(2):
        assert answers.ask("a", question, keep_s=5) == Failed("the manifest is broken")
    assert (len(asked), answers.counts.failed) == (1, 1)


def test_a_bug_is_no_answer_and_is_not_kept() -> None:
    answers = Answers(Clock())

    def bug() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        answers.ask("a", bug, keep_s=5)
    assert answers.ask("a", lambda: "now it works", keep_s=5) == Good("now it works")


def test_the_memory_is_bounded_and_forgets_what_was_least_used() -> None:
    answers = Answers(Clock(), entries_max=3)
    for key in "abc":
        answers.ask(key, lambda: 1, keep_s=100)
    answers.ask("a", lambda: 2, keep_s=100)
    answers.ask("d", lambda: 1, keep_s=100)
    assert len(answers) == 3
    assert answers.ask("a", lambda: 3, keep_s=100) == Good(1)
    assert answers.ask("b", lambda: 3, keep_s=100) == Good(3)
