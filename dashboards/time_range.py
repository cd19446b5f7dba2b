"""Time ranges a page can show: the last so many seconds, or from one instant to another.

Written as CloudWatch's console does it, presets and *Custom* (relative or absolute), and as text for the URL: `15m`,
`90s`, `2d`, or an ISO 8601 interval `2026-11-23T10:00:00Z/2026-11-23T11:00:00Z`.  No clock in here: `now_s` is passed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

#: The presets of the header, in order.
PRESETS = {"5m": 300, "15m": 900, "1h": 3600, "3h": 10_800, "12h": 43_200, "1d": 86_400}
#: Shortest and longest range a page shows.
SPAN_S_MIN, SPAN_S_MAX = 10, 455 * 86_400

_UNITS_S = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_UNIT_WORDS = {"d": "day", "h": "hour", "m": "minute", "s": "second"}
_FIRST_S, _LAST_S = 0, 253_402_300_799  # 1970-01-01 and 9999-12-31, what datetime and the URL can write


class BadTimeRange(ValueError):
    """A time range that cannot be read or makes no sense; the message says what was found and what is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """The last `span_s` seconds."""

    span_s: int

    def __post_init__(self) -> None:
        _check_span(self.span_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Absolute:
    """From `start_s` (included) to `end_s` (not included), Unix seconds."""

    start_s: int
    end_s: int

    def __post_init__(self) -> None:
        if not _FIRST_S <= self.start_s < self.end_s <= _LAST_S:
            raise BadTimeRange("a time range starts before it ends")
        _check_span(self.end_s - self.start_s)


TimeRange = Relative | Absolute


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A time range with its place in time: Unix seconds, `end_s` not included.  `live` means it ends now."""

    start_s: int
    end_s: int
    live: bool

    @property
    def span_s(self) -> int:
        """Length in seconds."""
        return self.end_s - self.start_s


def _check_span(span_s: int) -> None:
    if not SPAN_S_MIN <= span_s <= SPAN_S_MAX:
        raise BadTimeRange(f"a time range lasts from {SPAN_S_MIN} seconds to {SPAN_S_MAX // 86_400} days")


def window_of(time_range: TimeRange, *, now_s: float, tick_s: int) -> Window:
    """Place a range in time.  A relative one ends at the last full `tick_s`, so that pages opened side by side ask
    the same question and share its answer."""
    if isinstance(time_range, Absolute):
        return Window(start_s=time_range.start_s, end_s=time_range.end_s, live=False)
    tick_s = max(1, tick_s)
    end_s = int(now_s) // tick_s * tick_s + tick_s
    return Window(start_s=end_s - time_range.span_s, end_s=end_s, live=True)


def to_text(time_range: TimeRange) -> str:
    """The range as it stands in the URL; `from_text` reads it back."""
    if isinstance(time_range, Absolute):
        return f"{_instant_text(time_range.start_s)}/{_instant_text(time_range.end_s)}"
    for unit, seconds in _UNITS_S.items():
        # 24 hours are written `1d`, 36 hours `36h`: the largest unit that needs no fraction.
        if time_range.span_s % seconds == 0:
            return f"{time_range.span_s // seconds}{unit}"
    raise AssertionError("every whole number of seconds is a multiple of one second")


def from_text(text: str) -> TimeRange:
    """Read what `to_text` wrote; `BadTimeRange` otherwise."""
    relative = re.fullmatch(r"(\d{1,9})([smhd])", text, re.ASCII)
    if relative:
        return Relative(span_s=int(relative[1]) * _UNITS_S[relative[2]])
    start, slash, end = text.partition("/")
    if not slash:
        raise BadTimeRange(f"{text!r} is not a time range; write 15m, or two instants such as "
                           "2026-11-23T10:00:00Z/2026-11-23T11:00:00Z")
    return Absolute(start_s=_instant(start), end_s=_instant(end))


def _instant_text(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _instant(text: str) -> int:
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        raise BadTimeRange(f"{text!r} is not an instant such as 2026-11-23T10:00:00Z") from None
    return int(moment.replace(tzinfo=UTC).timestamp())


def in_words(time_range: TimeRange) -> str:
    """A relative range in words, `last 15 minutes`; an absolute one as its two instants in UTC."""
    if isinstance(time_range, Absolute):
        return f"{_instant_text(time_range.start_s)} to {_instant_text(time_range.end_s)}"
    text = to_text(time_range)
    number, word = int(text[:-1]), _UNIT_WORDS[text[-1]]
    return f"last {word}" if number == 1 else f"last {number} {word}s"
