"""ARNs in AWS's formats."""

from __future__ import annotations

import pytest

from gatewatch.aws.arn import kind, listener_arn, load_balancer_arn, target_group_arn

NUMBER = "0123456789abcdef"


def test_formats_are_those_of_the_cli_examples() -> None:
    load_balancer = load_balancer_arn("us-east-1", "123456789012", "my-gw", NUMBER)
    assert load_balancer == f"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/gwy/my-gw/{NUMBER}"
    assert listener_arn(load_balancer, "f" * 16) == (
        f"arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/gwy/my-gw/{NUMBER}/{'f' * 16}"
    )
    group = target_group_arn("us-east-1", "123456789012", "my-targets", NUMBER)
    assert group == f"arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/my-targets/00{NUMBER}"
    assert [kind(load_balancer), kind(group), kind(listener_arn(load_balancer, NUMBER))] == [
        "load balancer", "target group", "listener"
    ]


@pytest.mark.parametrize("text", [
    "", "gw", "arn:aws:s3:::bucket", f"arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/gwy/my-gw/{NUMBER}",
    f"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/gwy/my-gw/{NUMBER}\n",
])
def test_what_is_no_arn(text: str) -> None:
    assert kind(text) is None
