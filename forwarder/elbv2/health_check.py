"""A target group's health check: what was asked for, over what it had, checked (AWS: "Health check settings")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gatewatch.aws.error import invalid

PROTOCOLS: Final = ("TCP", "HTTP", "HTTPS")
SUCCESS_CODES: Final = "200-399"

#: The request members that are about the health check.
MEMBERS: Final = frozenset({
    "HealthCheckProtocol", "HealthCheckPort", "HealthCheckEnabled", "HealthCheckPath", "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds", "HealthyThresholdCount", "UnhealthyThresholdCount", "Matcher",
})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The columns of `target_groups` that are the health check, with AWS's defaults for GENEVE."""

    protocol: str = "TCP"
    port: str = "80"
    path: str = "/"
    interval_s: int = 10
    timeout_s: int = 5
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    success_codes: str = SUCCESS_CODES


def settings(parameters: Mapping[str, Any], before: Settings) -> Settings:
    """`before` with what the request changes; `ValidationError` if that cannot be."""
    protocol = parameters.get("HealthCheckProtocol", before.protocol)
    if protocol not in PROTOCOLS:
        raise invalid(
            f"Health check protocol '{protocol}' must be one of '{', '.join(PROTOCOLS)}' for target groups with the"
            " GENEVE protocol",
        )
    if parameters.get("HealthCheckEnabled") is False:
        raise invalid(
            "Health check enabled must be true for target groups with target type 'instance' or 'ip'"
        )
    _check_http_members(parameters, protocol)
    found = Settings(
        protocol=protocol,
        port=_port(parameters.get("HealthCheckPort", before.port)),
        path=parameters.get("HealthCheckPath", before.path),
        interval_s=parameters.get("HealthCheckIntervalSeconds", before.interval_s),
        timeout_s=parameters.get("HealthCheckTimeoutSeconds", before.timeout_s),
        healthy_threshold=parameters.get("HealthyThresholdCount", before.healthy_threshold),
        unhealthy_threshold=parameters.get("UnhealthyThresholdCount", before.unhealthy_threshold),
    )
    if found.timeout_s > found.interval_s:
        raise invalid(
            f"Health check timeout '{found.timeout_s}' must be smaller than or equal to the interval"
            f" '{found.interval_s}'"
        )
    return found


def shown(check: Settings) -> dict[str, Any]:
    """The members of a `TargetGroup` that tell the health check; path and matcher only where there is HTTP."""
    http: dict[str, Any] = {}
    if check.protocol != "TCP":
        http = {"HealthCheckPath": check.path, "Matcher": {"HttpCode": check.success_codes}}
    return {
        "HealthCheckProtocol": check.protocol,
        "HealthCheckPort": check.port,
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": check.interval_s,
        "HealthCheckTimeoutSeconds": check.timeout_s,
        "HealthyThresholdCount": check.healthy_threshold,
        "UnhealthyThresholdCount": check.unhealthy_threshold,
        **http,
    }


def _port(text: str) -> str:
    if text == "traffic-port":
        return text
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65_535):
        raise invalid(
            f"Health check port '{text[:50]}' must be in the range '1-65535' or equal to 'traffic-port'"
        )
    return str(int(text))


def _check_http_members(parameters: Mapping[str, Any], protocol: str) -> None:
    path = parameters.get("HealthCheckPath")
    if protocol == "TCP" and path is not None:
        raise invalid("Health check path is not supported for health checks with the TCP protocol")
    if path is not None and (not path.startswith("/") or any(character.isspace() for character in path)):
        raise invalid(f"Health check path '{path[:100]}' must begin with a '/' and hold no spaces")
    matcher = parameters.get("Matcher")
    if matcher is None:
        return
    if protocol == "TCP":
        raise invalid("Health check matcher is not supported for health checks with the TCP protocol")
    if "GrpcCode" in matcher or matcher.get("HttpCode") != SUCCESS_CODES:
        raise invalid(
            f"Health check matcher HTTP code must be '{SUCCESS_CODES}' for the GENEVE protocol"
        )
