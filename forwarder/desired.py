"""What the gateway shall do, in which network, and what was observed of its targets: the state store's content, as values.

API and imports write the store, the health prober writes what it observed, the packet process reads both.  A `Desired` is one
consistent reading of it; `revision` grows with every change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from forwarder.inventory import Inventory

#: The zone of a target that is an address outside the VPC and belongs to every zone.
ALL_ZONES: Final = "all"


class TargetState(StrEnum):
    """States a gateway's target can be in (elbv2 `TargetHealthStateEnum`)."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNUSED = "unused"
    DRAINING = "draining"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """A target group's health check (elbv2 `TargetGroup`).  `port` is the number to probe; `path` for HTTP and HTTPS."""

    protocol: str = "TCP"
    port: int = 80
    path: str = "/"
    interval_s: int = 10
    timeout_s: int = 5
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    success_codes: str = "200-399"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A registered target and its health.  `id` is what was registered (instance id or address), `zone` a zone's name or
    `ALL_ZONES`.

    `deregistered_at_s` is epoch seconds, None while registered.  A target past its deregistration delay is gone.
    `interface_id` and `instance_id` are empty for an address the inventory does not know.
    """

    id: str
    address: str
    zone: str
    port: int = 6081
    state: TargetState = TargetState.INITIAL
    reason: str = "Elb.RegistrationInProgress"
    description: str = "Target registration is in progress"
    deregistered_at_s: float | None = None
    instance_id: str = ""
    interface_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup:
    """A GENEVE target group.  `stickiness` is None (5-tuple), `source_ip_dest_ip_proto` or `source_ip_dest_ip`."""

    arn: str
    name: str
    vpc_id: str
    health_check: HealthCheck = field(default_factory=HealthCheck)
    targets: tuple[Target, ...] = ()
    stickiness: str | None = None
    rebalance: bool = False
    deregistration_delay_s: int = 300

    @property
    def dimension(self) -> str:
        """`targetgroup/<name>/<id>`, CloudWatch's TargetGroup dimension."""
        return self.arn.rsplit(":", 1)[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancer:
    """A gateway load balancer with its listener's target group (None: no listener, so nothing is forwarded)."""

    arn: str
    name: str
    vpc_id: str
    subnet_ids: tuple[str, ...]
    cross_zone: bool = False
    tcp_idle_timeout_s: int = 350
    target_group: TargetGroup | None = None

    @property
    def dimension(self) -> str:
        """`gwy/<name>/<id>`, CloudWatch's LoadBalancer dimension."""
        return self.arn.rsplit(":", 1)[-1].removeprefix("loadbalancer/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """One reading of the store.  Load balancers are in order of creation; `network` is what they stand in, and `network_revision`
    grows with every change of what that shall be."""

    revision: int
    load_balancers: tuple[LoadBalancer, ...] = ()
    network: Inventory = field(default_factory=Inventory)
    network_revision: int = 0
