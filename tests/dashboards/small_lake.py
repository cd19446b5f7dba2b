"""A small lake whose numbers are known, for the console's tests: one balancer, three targets, ten minutes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from dashboards.console import Console, Look
from gatewatch.settings import Settings
from queries.alarms.service import AlarmService
from tests.queries.lake_builder import (
    BALANCER,
    GROUP,
    HOUR_S,
    audit_event,
    flow,
    health_change,
    metric,
    publish,
)

PERIOD_S = 10
#: The lake's data begins and ends here; the console's clock stands at its end.
START_S, END_S = HOUR_S, HOUR_S + 600
TARGETS = ("i-0a11", "i-0b22", "i-0c33")
#: While the third target is sick.
SICK_START_S, SICK_END_S = HOUR_S + 200, HOUR_S + 400

UNHEALTHY = Path(__file__).parents[1] / "fixtures/alarms/unhealthy_10s.toml"
FLOWS_A_PERIOD, PACKETS_A_FLOW, BYTES_A_FLOW = 3, 12, 6_000
REJECTED_PACKETS = 5
ATE_PACKETS = 7
_ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:"


def settings_for(data: Path, **more: Any) -> Settings:
    """Settings of a console over `data`, with the small lake's periods."""
    return Settings(
        data=str(data), metrics_period_s=PERIOD_S, capture_window_s=PERIOD_S, alarm_period_s=PERIOD_S, alarms_file=str(UNHEALTHY), **more
    )


def console_of(data: Path, clock: Callable[[], float] = lambda: float(END_S), **more: Any) -> Console:
    """A console whose clock stands at the lake's end."""
    return Console(settings_for(data, **more), clock=clock)


def look_at(console: Console, href: str, theme: str = "light") -> Look:
    """The look of a URL, in UTC."""
    return console.look(href, theme, "Europe/Zurich")


def fill(data: Path) -> None:
    """Write the lake and let the alarms service live through it."""
    publish(data, "flow_logs", flow_rows())
    publish(data, "metrics", metric_rows())
    publish(data, "target_health", health_rows())
    publish(data, "audit_events", audit_rows())
    alarms = AlarmService(settings_for(data), _Silent())
    for now_s in range(START_S, END_S, PERIOD_S):
        alarms.tick(now_s)
    alarms.close()


def flow_rows() -> list[dict[str, Any]]:
    """Three flows a window, given and returned; one appliance keeps SSH packets; one REJECT."""
    rows = []
    for start_s in range(START_S, END_S, PERIOD_S):
        for number, target in enumerate(TARGETS):
            ends = {"srcport": 40_000 + number, "gw_target_id": target, "packets": PACKETS_A_FLOW, "bytes": BYTES_A_FLOW}
            rows += [flow(start_s, **ends), flow(start_s, flow_direction="egress", **ends)]
    rows.append(flow(START_S, srcport=50_001, dstport=22, gw_target_id=TARGETS[0], packets=ATE_PACKETS, bytes=420))
    rows.append(flow(START_S, srcport=50_002, dstport=81, gw_target_id=None, action="REJECT", packets=REJECTED_PACKETS,
                     bytes=300, gw_drop_reason="no_healthy_target"))
    return rows


def metric_rows() -> list[dict[str, Any]]:
    """The metrics of each period."""
    rows = []
    group = {"LoadBalancer": BALANCER, "TargetGroup": GROUP}
    for time_s in range(START_S, END_S, PERIOD_S):
        sick = SICK_START_S <= time_s < SICK_END_S
        rows += [
            metric(time_s, "HealthyHostCount", 2 if sick else 3, dimensions=group),
            metric(time_s, "UnHealthyHostCount", 1 if sick else 0, dimensions=group),
            metric(time_s, "ActiveFlowCount", 42), metric(time_s, "NewFlowCount", 30),
            metric(time_s, "ProcessedBytes", 25_000, unit="Bytes"), metric(time_s, "ConsumedLCUs", 0.02),
            metric(time_s, "ActiveFlowCount", 42, dimensions={"LoadBalancer": BALANCER, "AvailabilityZone": "us-east-1a"}),
        ]
    return rows


def health_rows() -> list[dict[str, Any]]:
    """Three targets become healthy; the third is sick for a while."""
    rows = [health_change(START_S + 1, target, "healthy", availability_zone="us-east-1a") for target in TARGETS]
    sick = {"reason": "Target.FailedHealthChecks", "description": "Health checks failed", "previous_state": "healthy"}
    rows.append(health_change(SICK_START_S, TARGETS[2], "unhealthy", **sick))
    rows.append(health_change(SICK_END_S, TARGETS[2], "healthy", previous_state="unhealthy"))
    return rows


def audit_rows() -> list[dict[str, Any]]:
    """Two changes, one of them refused, and one look-up."""
    balancer = _ARN + "loadbalancer/gwy/inspection/0123456789abcdef"
    return [
        audit_event(START_S + 5, "CreateLoadBalancer", event_id="e1", record=_record("CreateLoadBalancer", balancer)),
        audit_event(START_S + 6, "DeleteLoadBalancer", event_id="e2", error_code="ResourceInUse",
                    error_message="it has a listener", record=_record("DeleteLoadBalancer", balancer)),
        audit_event(START_S + 7, "DescribeTargetHealth", event_id="e3", read_only=True, record="{}"),
    ]


def _record(name: str, arn: str) -> str:
    return msgspec.json.encode({"eventName": name, "requestParameters": {"loadBalancerArn": arn}}).decode()


class _Silent:
    """A publisher that keeps nothing: these tests are about what the console reads."""

    origin = "small-lake"

    def publish(self, drafts: Any, *, source: Any = None) -> None:
        pass

    def source_position(self, name: str) -> int:
        return 0

    def counts(self) -> list[Any]:
        return []

    def flush(self, timeout_s: float) -> bool:
        return True

    def close(self) -> None:
        pass
