"""Answers to the pages' questions, kept for one refresh, so that ten open tabs cost the lake as much as one.

An answer is rows or a failure with its sentence; both are values, because "query failed" is one of the pictures a chart
can show.  The same question asked while it is being answered waits for that answer (one flight).  Bounded: at most
`ENTRIES_MAX` answers, the least recently used go first.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from queries.flows import BadFilter
from queries.lake import QueryFailed
from queries.saved_query import BadParameter

Rows = TypeVar("Rows")

ENTRIES_MAX = 512

#: What a question may fail with; anything else is a bug and not an answer.
FAILURES = (QueryFailed, BadFilter, BadParameter)


@dataclass(frozen=True, slots=True)
class Good(Generic[Rows]):
    """The question was answered, perhaps with nothing."""

    rows: Rows


@dataclass(frozen=True, slots=True)
class Failed:
    """The question could not be answered; `message` is a sentence for the reader."""

    message: str


Answer = Good[Rows] | Failed


@dataclass(slots=True)
class Counts:
    """What was asked of an `Answers`: asked = kept + answered + failed + waited for another's answer."""

    asked: int = 0
    kept: int = 0
    waited: int = 0
    answered: int = 0
    failed: int = 0


class Answers:
    """A bounded, short-lived memory of answers, safe to use from several threads."""

    def __init__(self, clock: Callable[[], float], *, entries_max: int = ENTRIES_MAX) -> None:
        """`clock` gives seconds that only go forward (`time.monotonic`)."""
        self._clock = clock
        self._entries_max = entries_max
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, tuple[float, Future[Any]]] = OrderedDict()
        self.counts = Counts()

    def ask(self, key: Hashable, question: Callable[[], Rows], *, keep_s: float) -> Answer[Rows]:
        """The answer to `question`, at most `keep_s` old; `key` must tell questions apart, arguments included.

        `FAILURES` become `Failed`; anything else raises, to all who wait for it.
        """
        now_s = self._clock()
        with self._lock:
            self.counts.asked += 1
            known = self._entries.get(key)
            if known is not None and now_s < known[0]:
                self._entries.move_to_end(key)
                self.counts.kept += known[1].done()
                self.counts.waited += not known[1].done()
                flight, mine = known[1], False
            else:
                flight, mine = Future(), True
                self._entries[key] = (now_s + keep_s, flight)
                self._entries.move_to_end(key)
                while len(self._entries) > self._entries_max:
                    self._entries.popitem(last=False)
        if mine:
            self._answer(key, flight, question)
        answer: Answer[Rows] = flight.result()
        return answer

    def __len__(self) -> int:
        return len(self._entries)

    def _answer(self, key: Hashable, flight: Future[Any], question: Callable[[], Any]) -> None:
        try:
            answer: Answer[Any] = Good(question())
        except FAILURES as error:
            answer = Failed(_sentence(error))
        except BaseException as error:
            with self._lock:
                self._entries.pop(key, None)
            flight.set_exception(error)
            return
        with self._lock:
            self.counts.answered += isinstance(answer, Good)
            self.counts.failed += isinstance(answer, Failed)
        flight.set_result(answer)


def _sentence(error: Exception) -> str:
    text = str(error.args[0]) if error.args else type(error).__name__
    return text.strip() or type(error).__name__
