"""Does something grow without need?  Decided on samples of one figure over time; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

#: The first part of a run fills caches, pools and the lake's first hour; it is not looked at.
WARM_UP_SHARE = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How a figure went after warm-up: medians of the first and the last third, and the difference as a rate."""

    first: float
    last: float
    per_hour: float

    def beyond(self, *, floor: float, per_hour: float) -> bool:
        """Whether it grew by more than noise (`floor`, in the figure's unit) and faster than is allowed."""
        return self.last - self.first > floor and self.per_hour > per_hour


def growth_of(samples: Sequence[tuple[float, float]]) -> Growth:
    """Of (seconds, figure) in order of time; `ValueError` for too few to tell."""
    begin_s, end_s = samples[0][0], samples[-1][0]
    steady = [each for each in samples if each[0] >= begin_s + WARM_UP_SHARE * (end_s - begin_s)]
    third = len(steady) // 3
    if third < 1:
        raise ValueError(f"{len(samples)} samples are too few to tell growth")
    first, last = steady[:third], steady[-third:]
    low, high = (median(figure for _, figure in part) for part in (first, last))
    hours = (median(time_s for time_s, _ in last) - median(time_s for time_s, _ in first)) / 3600
    return Growth(first=low, last=high, per_hour=(high - low) / hours)
