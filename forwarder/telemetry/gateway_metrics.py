"""The eleven metrics of `AWS/GatewayELB`, made from samples of running totals.

Source: Elastic Load Balancing, Gateway Load Balancers user guide, "CloudWatch metrics for your Gateway Load Balancer";
units of the peak rates and the reading of "rejected" and "processed" are choices (decisions 0031 and 0032).  Each set
of dimensions is a metric of its own: a value for the load balancer and one for each of its zones are both published.
No I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum

from forwarder.telemetry.statistic import statistics_of
from gatewatch.records.metric import GATEWAY_NAMESPACE, Metric, StatisticSet

#: What one gateway load balancer capacity unit covers (Elastic Load Balancing pricing page).
LCU_NEW_FLOWS_PER_SECOND = 600
LCU_ACTIVE_FLOWS = 60_000
LCU_BYTES_PER_HOUR = 1e9


class Reporting(Enum):
    """When a metric is published at all."""

    ALWAYS = "always"
    NONZERO = "nonzero"
    HEALTH_CHECKS = "health-checks-enabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRule:
    """Unit, rule of publication, meaning, and whether a zone's values are published beside the load balancer's."""

    unit: str
    meaning: str
    reporting: Reporting
    by_zone: bool = True


RULES = {
    "ActiveFlowCount": MetricRule(
        unit="Count", reporting=Reporting.NONZERO,
        meaning="flows in the flow table",
    ),
    "NewFlowCount": MetricRule(
        unit="Count", reporting=Reporting.NONZERO,
        meaning="flows made",
    ),
    "ProcessedBytes": MetricRule(
        unit="Bytes", reporting=Reporting.NONZERO,
        meaning="inner bytes to and from targets, without health checks",
    ),
    "ProcessedPackets": MetricRule(
        unit="Count", reporting=Reporting.ALWAYS,
        meaning="packets to and from targets, health checks included",
    ),
    "PeakBytesPerSecond": MetricRule(
        unit="Bytes/Second", reporting=Reporting.ALWAYS,
        meaning="highest byte rate of a ten-second bucket, without health checks",
    ),
    "PeakPacketsPerSecond": MetricRule(
        unit="Count/Second", reporting=Reporting.ALWAYS,
        meaning="highest packet rate of a ten-second bucket, health checks included",
    ),
    "RejectedFlowCount": MetricRule(
        unit="Count", reporting=Reporting.ALWAYS,
        meaning="flows refused by the gateway",
    ),
    "RejectedFlowCount_TCP": MetricRule(
        unit="Count", reporting=Reporting.NONZERO,
        meaning="the TCP ones among them",
    ),
    "HealthyHostCount": MetricRule(
        unit="Count", reporting=Reporting.HEALTH_CHECKS,
        meaning="targets in the state healthy",
    ),
    "UnHealthyHostCount": MetricRule(
        unit="Count", reporting=Reporting.HEALTH_CHECKS,
        meaning="targets in the state unhealthy",
    ),
    "ConsumedLCUs": MetricRule(
        unit="Count", reporting=Reporting.ALWAYS, by_zone=False,
        meaning="capacity units: the largest of new flows/s / 600, active flows / 60,000 and GB/h",
    ),
}


@dataclass(slots=True, kw_only=True)
class Totals:
    """Running totals of one load balancer in one zone; `flows_active` alone is a level.

    `packets` and `bytes` went to targets or came back from them, `bytes` being inner bytes; `probe_packets` are the
    health checks' and are not in `packets`.
    """

    flows_active: int = 0
    flows_new: int = 0
    flows_rejected: int = 0
    flows_rejected_tcp: int = 0
    packets: int = 0
    bytes: int = 0
    probe_packets: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(**{item.name: getattr(self, item.name) + getattr(other, item.name) for item in fields(self)})

    def since(self, earlier: Totals) -> Totals:
        """What was added since `earlier`; the level stays as it is."""
        grown = {item.name: getattr(self, item.name) - getattr(earlier, item.name) for item in fields(self)}
        grown["flows_active"] = self.flows_active
        assert min(grown.values()) >= 0, "running totals never fall"
        return Totals(**grown)


@dataclass(slots=True, kw_only=True)
class Hosts:
    """Targets of one group in one zone that are healthy, and that are not."""

    healthy: int = 0
    unhealthy: int = 0


@dataclass(slots=True, kw_only=True)
class Sample:
    """The state of things at `time_s` (epoch seconds).

    `totals` by (load balancer, zone), `hosts` by (load balancer, target group, zone); both name every zone that is
    enabled.  A host of no zone in particular has zone "".
    """

    time_s: float
    totals: Mapping[tuple[str, str], Totals]
    hosts: Mapping[tuple[str, str, str], Hosts]


@dataclass(slots=True)
class _Buckets:
    """What each bucket of the open period brought."""

    lengths_s: list[float] = field(default_factory=list)
    totals: list[dict[tuple[str, str], Totals]] = field(default_factory=list)
    hosts: list[Mapping[tuple[str, str, str], Hosts]] = field(default_factory=list)


class GatewayMetrics:
    """Takes a sample at the end of each bucket (10 s, or the period if that is shorter), gives a period's metrics.

    The first and the last bucket of a run may be shorter than `bucket_s`; their rates are still averages over that
    length, so that a few packets in half a second make no peak.
    """

    def __init__(self, *, account_id: str, region: str, start_s: float, bucket_s: float) -> None:
        self._account_id = account_id
        self._region = region
        self._bucket_s = bucket_s
        self._last_s = start_s
        self._last: Mapping[tuple[str, str], Totals] = {}
        self._buckets = _Buckets()

    def add(self, sample: Sample) -> None:
        """Close a bucket."""
        grown = {place: now.since(self._last.get(place, Totals())) for place, now in sample.totals.items()}
        self._buckets.lengths_s.append(max(sample.time_s - self._last_s, self._bucket_s))
        self._buckets.totals.append(grown)
        self._buckets.hosts.append(sample.hosts)
        # A load balancer that is gone keeps its last totals here, so that it goes on from them if it comes back.
        self._last = {**self._last, **sample.totals}
        self._last_s = sample.time_s

    def close(self, timestamp_ms: int) -> list[Metric]:
        """The metrics of the buckets since the last close, stamped with the period's start; empty without buckets."""
        buckets, self._buckets = self._buckets, _Buckets()
        if not buckets.totals:
            return []
        found = [*_traffic(buckets), *_host_counts(buckets)]
        return [
            Metric(
                account_id=self._account_id, region=self._region, namespace=GATEWAY_NAMESPACE, metric_name=name,
                dimensions=dimensions, timestamp=timestamp_ms, value=value, unit=RULES[name].unit,
            )
            for name, dimensions, value in found
            if RULES[name].reporting is not Reporting.NONZERO or value.sum
        ]


_Found = tuple[str, dict[str, str], StatisticSet]


def _traffic(buckets: _Buckets) -> Iterator[_Found]:
    places = sorted({place for bucket in buckets.totals for place in bucket})
    for balancer in dict.fromkeys(balancer for balancer, _ in places):
        zones = [place for place in places if place[0] == balancer]
        whole = [sum((bucket.get(zone, Totals()) for zone in zones), Totals()) for bucket in buckets.totals]
        for name, value in _values(whole, buckets.lengths_s):
            yield name, {"LoadBalancer": balancer}, value
        for place in zones:
            series = [bucket.get(place, Totals()) for bucket in buckets.totals]
            for name, value in _values(series, buckets.lengths_s):
                if RULES[name].by_zone:
                    yield name, {"AvailabilityZone": place[1], "LoadBalancer": balancer}, value


def _values(series: list[Totals], lengths_s: list[float]) -> Iterator[tuple[str, StatisticSet]]:
    """Sums have one observation a period, levels and rates one a bucket."""
    flows_new = sum(bucket.flows_new for bucket in series)
    total_bytes = sum(bucket.bytes for bucket in series)
    packets = [bucket.packets + bucket.probe_packets for bucket in series]
    active = [bucket.flows_active for bucket in series]
    period_s = sum(lengths_s)
    yield "ActiveFlowCount", statistics_of(active)
    yield "NewFlowCount", statistics_of([flows_new])
    yield "ProcessedBytes", statistics_of([total_bytes])
    yield "ProcessedPackets", statistics_of([sum(packets)])
    yield "PeakBytesPerSecond", statistics_of(
        [bucket.bytes / length_s for bucket, length_s in zip(series, lengths_s, strict=True)]
    )
    yield "PeakPacketsPerSecond", statistics_of(
        [count / length_s for count, length_s in zip(packets, lengths_s, strict=True)]
    )
    yield "RejectedFlowCount", statistics_of([bucket.flows_rejected for bucket in series])
    yield "RejectedFlowCount_TCP", statistics_of([sum(bucket.flows_rejected_tcp for bucket in series)])
    yield "ConsumedLCUs", statistics_of([max(
        flows_new / period_s / LCU_NEW_FLOWS_PER_SECOND,
        max(active) / LCU_ACTIVE_FLOWS,
        total_bytes * 3600 / period_s / LCU_BYTES_PER_HOUR,
    )])


def _host_counts(buckets: _Buckets) -> Iterator[_Found]:
    places = sorted({place for bucket in buckets.hosts for place in bucket})
    for balancer, group in dict.fromkeys((balancer, group) for balancer, group, _ in places):
        dimensions = {"LoadBalancer": balancer, "TargetGroup": group}
        zones = [place for place in places if place[:2] == (balancer, group)]
        yield from _hosts_of(buckets, zones, dimensions)
        for place in zones:
            if place[2]:
                yield from _hosts_of(buckets, [place], {"AvailabilityZone": place[2], **dimensions})


def _hosts_of(buckets: _Buckets, places: list[tuple[str, str, str]], dimensions: dict[str, str]) -> Iterator[_Found]:
    known = [[bucket[place] for place in places if place in bucket] for bucket in buckets.hosts]
    known = [hosts for hosts in known if hosts]
    yield "HealthyHostCount", dimensions, statistics_of([sum(host.healthy for host in hosts) for hosts in known])
    yield "UnHealthyHostCount", dimensions, statistics_of([sum(host.unhealthy for host in hosts) for hosts in known])
