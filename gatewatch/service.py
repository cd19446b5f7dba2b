"""How every service starts and stops: logging set up, SIGTERM and SIGINT turned into an event that loops wait on."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from types import FrameType
from typing import TextIO

import structlog

#: One line at a time, whatever thread and logger it comes from.
_writing = threading.Lock()


def set_up_logging(level: str) -> None:
    """Log lines to standard error: time, level, event and values, from `level` on."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: LogLines(sys.stderr),
        cache_logger_on_first_use=True,
    )


class LogLines:
    """Writes log lines.  A full disk, or nobody who reads, costs lines, which are counted, and never the service.

    structlog's own would raise in the middle of whatever wanted to say something.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._lost = 0

    def msg(self, message: str) -> None:
        """Write a line, and first how many could not be written before it."""
        with _writing:
            try:
                if self._lost:
                    self._file.write(f"{self._lost} log lines could not be written here\n")
                self._file.write(message + "\n")
                self._file.flush()
                self._lost = 0
            except OSError:
                self._lost += 1

    log = debug = info = warn = warning = error = exception = critical = fatal = msg


def stop_event() -> threading.Event:
    """An event that SIGTERM and SIGINT set.  Call from the main thread, once, before the service's loops start."""
    event = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        event.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    return event
