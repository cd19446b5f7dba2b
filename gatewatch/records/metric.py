"""One metric datapoint as CloudWatch Metric Streams write it: a JSON object per line.

Source: Amazon CloudWatch User Guide, "CloudWatch metric stream output in JSON format".  The value is a statistic set;
Average is sum / count.  The timestamp is the *start* of the period, in epoch milliseconds.
"""

from __future__ import annotations

from math import isfinite
from typing import Annotated

import msgspec
from msgspec import Meta

from gatewatch.records.domain import EpochMs

GATEWAY_NAMESPACE = "AWS/GatewayELB"
#: gatewatch's own counters, which AWS has no metric for.
OWN_NAMESPACE = "Gatewatch"
STREAM_NAME = "gatewatch"


#: `StandardUnit` of the CloudWatch API reference.
_SIZES = "(Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|Kilobits|Megabits|Gigabits|Terabits)"
Unit = Annotated[str, Meta(pattern=f"^(Seconds|Microseconds|Milliseconds|Percent|None|(Count|{_SIZES})(/Second)?)$")]
#: A sum of floats may miss what its smallest and largest value allow by this part of them.
_ROUNDING = 1e-9


class StatisticSet(msgspec.Struct, frozen=True, kw_only=True):
    """SampleCount, Sum, Minimum and Maximum of one period; `ValueError` for values that no observations can have."""

    count: float
    sum: float
    min: float
    max: float

    def __post_init__(self) -> None:
        if not all(map(isfinite, (self.count, self.sum, self.min, self.max))):
            raise ValueError("a value is not finite")
        if self.count < 0:
            raise ValueError("count is below 0")
        if self.min > self.max:
            raise ValueError("min is above max")
        room = _ROUNDING * self.count * max(abs(self.min), abs(self.max))
        if not self.min * self.count - room <= self.sum <= self.max * self.count + room:
            raise ValueError("sum is not between count times min and count times max")


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One datapoint of one metric with one set of dimensions."""

    account_id: str
    region: str
    namespace: Annotated[str, Meta(min_length=1, max_length=255)]
    metric_name: Annotated[str, Meta(min_length=1, max_length=255)]
    dimensions: Annotated[dict[str, str], Meta(max_length=30)]
    timestamp: EpochMs
    value: StatisticSet
    unit: Unit
    metric_stream_name: str = STREAM_NAME
