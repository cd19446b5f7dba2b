"""A backend that answers what a test tells it, behind a real dispatcher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gatewatch.aws.call import Call
from gatewatch.aws.error import AwsError


class EchoBackend:
    """Serves a few operations; remembers the calls; answers `result` or raises `error`."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.result: Mapping[str, Any] = {}
        self.error: AwsError | None = None

    def operations(self, service: str) -> frozenset[str]:
        served = {
            "elbv2": {"DescribeLoadBalancers", "DeleteListener", "AddTags"},
            "ec2": {"DescribeVpcs"},
            "cloudtrail": {"LookupEvents"},
            "cloudwatch": {"ListMetrics", "SetAlarmState"},
        }
        return frozenset(served.get(service, set()))

    def __call__(self, call: Call) -> Mapping[str, Any]:
        self.calls.append(call)
        if call.refusal is not None:
            raise call.refusal
        if self.error is not None:
            raise self.error
        return self.result


@pytest.fixture
def backend() -> EchoBackend:
    """A backend without memory of earlier calls."""
    return EchoBackend()
