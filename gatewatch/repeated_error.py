"""An error that comes again and again, said at once and then seldom: a loop that goes on must not fill the disk.

A loop that meets the same error ten times a second would write a traceback each time, all night.  So the first one is
logged whole, and while it keeps coming another every `LOG_S`, with the number of those between.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

#: How often an error that keeps coming is logged.
LOG_S = 10.0
#: Kinds of error told apart; with more, the oldest begins anew.
KINDS_MAX = 64


class RepeatedError:
    """The errors of one loop.  A kind is the event's words and the exception's class, not its message."""

    def __init__(self, log: Any, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`log` is a structlog logger; `clock` gives seconds that only run forward."""
        self._log = log
        self._clock = clock
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def exception(self, event: str, **values: Any) -> None:
        """Log the exception being handled with its traceback, unless its kind was logged less than `LOG_S` ago."""
        kind = event, type(sys.exception()).__name__
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
        self._log.exception(event, **values)
