"""Health-check settings: what is changed over what was (what is refused is in wrong_requests.json)."""

from __future__ import annotations

import pytest

from forwarder.elbv2.health_check import Settings, settings, shown
from gatewatch.aws.error import AwsError


def test_defaults_are_those_of_geneve_target_groups() -> None:
    assert settings({}, Settings()) == Settings(
        protocol="TCP", port="80", path="/", interval_s=10, timeout_s=5, healthy_threshold=5, unhealthy_threshold=2,
        success_codes="200-399",
    )


def test_only_what_is_given_changes() -> None:
    before = Settings(protocol="HTTP", port="8080", path="/up", interval_s=30)
    assert settings({"HealthCheckPort": "00443"}, before) == Settings(
        protocol="HTTP", port="443", path="/up", interval_s=30
    )


def test_a_time_out_as_long_as_the_interval_is_allowed() -> None:
    assert settings({"HealthCheckTimeoutSeconds": 10}, Settings()).timeout_s == 10


@pytest.mark.parametrize("port", ["0", "65536", "-1", "", "٣", "100000"])
def test_ports_that_are_none(port: str) -> None:
    with pytest.raises(AwsError, match="Health check port"):
        settings({"HealthCheckPort": port}, Settings())


def test_http_members_are_shown_with_http_only() -> None:
    assert "Matcher" not in shown(Settings())
    assert shown(Settings(protocol="HTTPS"))["HealthCheckPath"] == "/"
