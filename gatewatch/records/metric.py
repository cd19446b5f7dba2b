"""One metric datapoint as CloudWatch Metric Streams write it: a JSON object per line.

Source: Amazon CloudWatch User Guide, "CloudWatch metric stream output in JSON format".  The value is a statistic set;
Average is sum / count.  The timestamp is the *start* of the period, in epoch milliseconds.
"""

from __future__ import annotations

import msgspec

GATEWAY_NAMESPACE = "AWS/GatewayELB"
#: gatewatch's own counters, which AWS has no metric for.
OWN_NAMESPACE = "Gatewatch"
STREAM_NAME = "gatewatch"


class StatisticSet(msgspec.Struct, frozen=True, kw_only=True):
    """SampleCount, Sum, Minimum and Maximum of one period."""

    count: float
    sum: float
    min: float
    max: float


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One datapoint of one metric with one set of dimensions."""

    account_id: str
    region: str
    namespace: str
    metric_name: str
    dimensions: dict[str, str]
    timestamp: int
    value: StatisticSet
    unit: str
    metric_stream_name: str = STREAM_NAME
