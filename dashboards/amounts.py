"""Numbers as people read them: counts, bytes, rates, durations and ages.

Bytes use powers of 1,000 (kB is written KB, as the AWS console does), because CloudWatch's units Kilobytes and
Megabytes are decimal and a GLCU is counted in GB.  Nothing is rounded up to a larger unit than it has reached, and a
small non-zero value never reads as zero.
"""

from __future__ import annotations

import math

_STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K"))

#: What stands where there is no value.
NOTHING = "–"


def count(value: float | None) -> str:
    """A count: exact with thousands separators below 100,000, then three figures and K, M, G, T."""
    if value is None or math.isnan(value):
        return NOTHING
    if abs(value) < 100_000:
        return f"{value:,.0f}" if float(value).is_integer() else three_figures(value)
    return _scaled(value)


def exact(value: float | None) -> str:
    """A count with every digit, for hover texts and tables."""
    if value is None or math.isnan(value):
        return NOTHING
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def data(value: float | None) -> str:
    """An amount of data: `512 B`, `1.46 KB`, `38.2 MB`."""
    if value is None or math.isnan(value):
        return NOTHING
    if abs(value) < 1000:
        return f"{three_figures(value)} B"
    scaled = _scaled(value)
    return f"{scaled[:-1]} {scaled[-1]}B"


def data_rate(value: float | None) -> str:
    """Bytes a second: `1.46 KB/s`."""
    return NOTHING if value is None or math.isnan(value) else f"{data(value)}/s"


def rate(value: float | None) -> str:
    """Things a second: `12.5/s`."""
    return NOTHING if value is None or math.isnan(value) else f"{count(value)}/s"


def of_unit(value: float | None, unit: str) -> str:
    """A value of a CloudWatch unit (`Count`, `Bytes`, `Bytes/Second`, `Count/Second`, `Percent`, `None`, ...)."""
    writers = {"Bytes": data, "Bytes/Second": data_rate, "Count/Second": rate}
    if unit == "Percent":
        return NOTHING if value is None else f"{three_figures(value)} %"
    return writers.get(unit, count)(value)


def duration(seconds: float | None) -> str:
    """A length of time in at most two units: `850 ms`, `12.3 s`, `5 min 10 s`, `3 h 20 min`, `2 d 4 h`."""
    if seconds is None or math.isnan(seconds):
        return NOTHING
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 and not float(seconds).is_integer() else f"{int(seconds)} s"
    whole = int(seconds)
    for size, name, smaller, smaller_name in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {name} {rest} {smaller_name}" if rest else f"{whole // size} {name}"
    raise AssertionError("a minute or more has a unit")


def plural(number: int, word: str, words: str | None = None) -> str:
    """`1 flow`, `2 flows`; `words` where the plural is not the word with an s."""
    return f"{number:,} {word if number == 1 else words or word + 's'}"


def three_figures(value: float) -> str:
    """Three significant figures without exponent or trailing zeros: 0.0123, 1.5, 12, 123."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scaled(value: float) -> str:
    for size, letter in _STEPS:
        if abs(value) >= size:
            return three_figures(value / size) + letter
    return three_figures(value)
