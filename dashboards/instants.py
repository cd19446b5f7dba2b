"""Instants as text and back, in UTC or in the reader's own time zone.

The browser tells its zone's IANA name.  Zones come from `pytz`, which carries its own data, so that a machine without
a zone database shows the same times.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

import pytz

from dashboards.amounts import NOTHING


def zone_of(clock: str, browser_zone: str | None) -> tzinfo:
    """The zone to write times in: the browser's for the clock `local`, else UTC; UTC for a zone nobody knows."""
    if clock != "local" or not browser_zone:
        return UTC
    try:
        zone: tzinfo = pytz.timezone(browser_zone)
    except pytz.UnknownTimeZoneError:
        return UTC
    return zone


def zone_name(zone: tzinfo, at_s: float) -> str:
    """What to call a zone at an instant: `UTC`, `CET`, `UTC+05:30`."""
    name = datetime.fromtimestamp(at_s, zone).tzname() or "UTC"
    return f"UTC{name[:3]}:{name[3:] or '00'}" if name[0] in "+-" else name


def wall_clock(time_s: float, zone: tzinfo) -> datetime:
    """The date and time a clock in `zone` shows, without zone, for a figure's axis."""
    return datetime.fromtimestamp(time_s, zone).replace(tzinfo=None)


def from_wall_clock(text: str, zone: tzinfo) -> float:
    """Unix seconds of what a figure's axis or a date picker says (`2026-11-23 10:00:00.5`); `ValueError` if nothing.

    An hour that a change to winter time repeats is taken as its first run; one that is skipped moves on.
    """
    naive = datetime.fromisoformat(text)
    if naive.tzinfo is not None:
        return naive.timestamp()
    localize = getattr(zone, "localize", None)
    try:
        return (localize(naive, is_dst=True) if localize else naive.replace(tzinfo=zone)).timestamp()
    except OverflowError:  # the first or last day there is, in a zone where it lies beyond
        raise ValueError(f"{text!r} is no time of this zone") from None


def date_and_time(time_s: float | None, zone: tzinfo) -> str:
    """`2026-11-23 10:00:00`."""
    return NOTHING if time_s is None else datetime.fromtimestamp(time_s, zone).strftime("%Y-%m-%d %H:%M:%S")


def day_and_time(time_s: float, zone: tzinfo) -> str:
    """`11-23 10:00:00`, for tables whose year the page's head tells."""
    return datetime.fromtimestamp(time_s, zone).strftime("%m-%d %H:%M:%S")


def time_of_day(time_s: float | None, zone: tzinfo) -> str:
    """`10:00:00`."""
    return NOTHING if time_s is None else datetime.fromtimestamp(time_s, zone).strftime("%H:%M:%S")


def span(start_s: float, end_s: float, zone: tzinfo) -> str:
    """From one instant to another, the date once where both lie on one day."""
    start, end = datetime.fromtimestamp(start_s, zone), datetime.fromtimestamp(end_s, zone)
    last = end.strftime("%H:%M:%S" if start.date() == end.date() else "%Y-%m-%d %H:%M:%S")
    return f"{start:%Y-%m-%d %H:%M:%S} – {last} {zone_name(zone, end_s)}"
