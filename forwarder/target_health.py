"""A target's health: probe results and the time in, AWS's states and reason codes out.  No probe is made here.

    health = TargetHealth(check=check, now_s=now)
    health.observe(now, check=check, unused=..., ...)        # whenever the desired state was read
    health.probe_due_s                                       # when to probe next; None: not at all
    health.probe_started(now)                                # the probe has been handed to a thread
    health.probe_finished(passed)                            # its result; False also for a time-out
    health.status                                            # (state, reason, description), to store when it changed
    health.gone(now)                                         # draining is over: forget the target

    not in use -> unused     in use -> initial -> healthy <-> unhealthy     deregistered -> draining -> gone

The first passing check makes an `initial` target healthy, so that a new target carries traffic within one probe; AWS's
page says only that a target must pass "one" initial check for other load balancers and nothing for this one
(docs/decisions/0014-target-health.md).  Afterwards thresholds count consecutive results.

Sources: Gateway Load Balancer user guide, "Target health status" and "Health check reason codes"; elbv2
`TargetHealthReasonEnum`.
"""

from __future__ import annotations

from typing import NamedTuple

from forwarder.desired import HealthCheck, Target, TargetState


class TargetStatus(NamedTuple):
    """State, reason code and description as `DescribeTargetHealth` gives them; a healthy target has no reason."""

    state: TargetState
    reason: str = ""
    description: str = ""


REGISTERING = TargetStatus(TargetState.INITIAL, "Elb.RegistrationInProgress", "Target registration is in progress")
CHECKING = TargetStatus(TargetState.INITIAL, "Elb.InitialHealthChecking", "Initial health checks in progress")
HEALTHY = TargetStatus(TargetState.HEALTHY)
UNHEALTHY = TargetStatus(TargetState.UNHEALTHY, "Target.FailedHealthChecks", "Health checks failed")
DRAINING = TargetStatus(
    TargetState.DRAINING, "Target.DeregistrationInProgress", "Target deregistration is in progress"
)
NOT_REGISTERED = TargetStatus(
    TargetState.UNUSED, "Target.NotRegistered", "Target is not registered to the target group"
)
NOT_LISTENED = TargetStatus(
    TargetState.UNUSED, "Target.NotInUse",
    "Target group is not configured to receive traffic from the load balancer",
)
ZONE_NOT_ENABLED = TargetStatus(
    TargetState.UNUSED, "Target.NotInUse",
    "Target is in an Availability Zone that is not enabled for the load balancer",
)


def invalid_state(instance_state: str) -> TargetStatus:
    """The status of a target whose instance is not running."""
    return TargetStatus(
        TargetState.UNUSED, "Target.InvalidState", f"Target is in the {instance_state} state"
    )


def unused_because(*, listened: bool, zone_enabled: bool, instance_state: str = "running") -> TargetStatus | None:
    """Why a registered target cannot be in use; None when it can.

    `listened`: its target group is the action of a listener; `zone_enabled`: the load balancer has a subnet in its
    zone.
    """
    if not listened:
        return NOT_LISTENED
    if not zone_enabled:
        return ZONE_NOT_ENABLED
    return None if instance_state == "running" else invalid_state(instance_state)


class TargetHealth:
    """The health of one target in one target group.  Times are seconds of any clock that does not go back."""

    def __init__(self, *, check: HealthCheck, now_s: float, stored: TargetStatus | None = None) -> None:
        """`stored` is what was last observed, when the prober starts again; a new target begins as registering."""
        self.status = stored or REGISTERING
        self._check = check
        self._deregistered_at_s: float | None = None
        self._deregistration_delay_s = 0.0
        self._passed = self._failed = 0
        self._probe_due_s = now_s

    @classmethod
    def resume(cls, target: Target, *, check: HealthCheck, now_s: float) -> TargetHealth:
        """Go on from what the state store says of the target."""
        return cls(check=check, now_s=now_s, stored=TargetStatus(target.state, target.reason, target.description))

    @property
    def probe_due_s(self) -> float | None:
        """When to probe next; None while the target is unused or draining."""
        return None if self.status.state in (TargetState.UNUSED, TargetState.DRAINING) else self._probe_due_s

    def observe(
        self, now_s: float, *, check: HealthCheck, unused: TargetStatus | None = None,
        deregistered_at_s: float | None = None, deregistration_delay_s: float = 0,
    ) -> bool:
        """Take over what the desired state says; tell whether the status changed.

        `unused` is why the target cannot be in use (`NOT_LISTENED`, `ZONE_NOT_ENABLED`, `invalid_state(...)`).
        A deregistered target drains whatever its health was; one registered again, or in use again, begins anew.
        """
        before = self.status
        if check.interval_s < self._check.interval_s:
            self._probe_due_s = min(self._probe_due_s, now_s + check.interval_s)
        self._check = check
        self._deregistered_at_s = deregistered_at_s
        self._deregistration_delay_s = deregistration_delay_s
        if deregistered_at_s is not None:
            self.status = DRAINING
        elif unused is not None:
            self.status = unused
        elif self.status.state in (TargetState.UNUSED, TargetState.DRAINING):
            self._begin(now_s)
        return self.status != before

    def _begin(self, now_s: float) -> None:
        self.status = REGISTERING
        self._passed = self._failed = 0
        self._probe_due_s = now_s

    def probe_started(self, now_s: float) -> bool:
        """A probe is under way; the next is due an interval later.  Tell whether the status changed."""
        self._probe_due_s = now_s + self._check.interval_s
        if self.status == REGISTERING:
            self.status = CHECKING
            return True
        return False

    def probe_finished(self, passed: bool) -> bool:
        """Count a result; tell whether the status changed.  Late results of a target not in use are ignored."""
        if self.probe_due_s is None:
            return False
        before = self.status
        self._passed = self._passed + 1 if passed else 0
        self._failed = 0 if passed else self._failed + 1
        needed = 1 if before.state is TargetState.INITIAL else self._check.healthy_threshold
        if passed and before.state is not TargetState.HEALTHY and self._passed >= needed:
            self.status = HEALTHY
        elif self._failed >= self._check.unhealthy_threshold:
            self.status = UNHEALTHY
        return self.status != before

    def gone(self, now_s: float) -> bool:
        """Whether the deregistration delay is over, so that the target is no more (`unused`, not registered)."""
        return (
            self._deregistered_at_s is not None
            and now_s - self._deregistered_at_s >= self._deregistration_delay_s
        )
