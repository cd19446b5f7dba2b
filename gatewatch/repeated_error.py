"""An error that comes again and again, said at once and then seldom: a loop that goes on must not fill the disk.

A loop that meets the same error ten times a second would write a line, or a traceback, each time, all night.  So the
first one is logged whole, and while it keeps coming another every `LOG_S`, with the number of those between.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

#: How often an error that keeps coming is logged.
LOG_S = 10.0
#: Kinds of error told apart; with more, the oldest begins anew.
KINDS_MAX = 64


class Log(Protocol):
    """What is needed of a structlog logger."""

    def exception(self, event: str, **values: Any) -> object:
        """Log the exception being handled."""

    def warning(self, event: str, **values: Any) -> object:
        """Log a warning."""


class RepeatedError:
    """The errors of one loop.  A kind is the event's words and the exception's class, not its message."""

    def __init__(self, log: Log, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds that only run forward."""
        self._log = log
        self._clock = clock
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def exception(self, event: str, **values: Any) -> None:
        """Log the exception being handled with its traceback, unless its kind was logged less than `LOG_S` ago."""
        self._say(self._log.exception, event, type(sys.exception()).__name__, values)

    def warning(self, event: str, **values: Any) -> None:
        """Log what an operator can see to without a traceback, unless the same was logged less than `LOG_S` ago."""
        self._say(self._log.warning, event, "", values)

    def _say(self, say: Callable[..., object], event: str, error: str, values: dict[str, Any]) -> None:
        kind = event, error
        now_s = self._clock()
        due_s, unsaid = self._said.pop(kind, (now_s, 0))
        if now_s < due_s:
            self._said[kind] = due_s, unsaid + 1
            return
        if len(self._said) >= KINDS_MAX:
            del self._said[next(iter(self._said))]
        self._said[kind] = now_s + LOG_S, 0
        if unsaid:
            values["unsaid"] = unsaid
        say(event, **values)
