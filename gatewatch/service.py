"""How every service starts and stops: logging set up, SIGTERM and SIGINT turned into an event that loops wait on."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from types import FrameType

import structlog


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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def stop_event() -> threading.Event:
    """An event that SIGTERM and SIGINT set.  Call from the main thread, once, before the service's loops start."""
    event = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        event.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    return event
