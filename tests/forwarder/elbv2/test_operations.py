"""Wrong requests get AWS's errors (wrong_requests.json), and every operation of elbv2 has one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from forwarder.elbv2.operations import OPERATIONS

CASES = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "control" / "wrong_requests.json").read_text(encoding="utf-8")
)


def fill(value: Any, arns: dict[str, str]) -> Any:
    """`value` with the ARNs that stand for `$NAME`."""
    if isinstance(value, dict):
        return {name: fill(item, arns) for name, item in value.items()}
    if isinstance(value, list):
        return [fill(item, arns) for item in value]
    if isinstance(value, str):
        for name, arn in arns.items():
            value = value.replace("$" + name, arn)
    return value


@pytest.fixture
def arns(api: Any) -> dict[str, str]:
    """A load balancer that forwards to a target group, and others beside it."""
    load_balancer, group = api.load_balancer(), api.target_group()
    consumer = api.elbv2(
        "CreateTargetGroup", Name="consumer", Protocol="GENEVE", Port=6081, VpcId="vpc-0bb22bb22bb22bb22"
    )
    return {
        "LOAD_BALANCER": load_balancer,
        "OTHER_LOAD_BALANCER": api.load_balancer("other"),
        "TARGET_GROUP": group,
        "IP_GROUP": api.target_group("addresses", TargetType="ip"),
        "CONSUMER_GROUP": consumer["TargetGroups"][0]["TargetGroupArn"],
        "LISTENER": api.listener(load_balancer, group),
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['operation']}: {case['about']}")
def test_a_wrong_request_gets_the_error(api: Any, arns: dict[str, str], case: dict[str, Any]) -> None:
    revision, events = api.store.revision(), len(api.events())
    with pytest.raises(Exception, match=r"^\d{3} ") as refused:
        api.call(case.get("service", "elbv2"), case["operation"], **fill(case["parameters"], arns))
    error: Any = refused.value
    assert (error.code, error.message) == (case["code"], fill(case["message"], arns))
    assert error.status == case.get("status", 400)
    assert api.store.revision() == revision, "a refused call changes nothing"
    last = api.events()[-1]
    assert len(api.events()) == events + 1
    assert last["errorCode"].removeprefix("Client.") == case["code"]
    assert last["responseElements"] is None


def test_the_cases_reach_every_refusing_elbv2_operation() -> None:
    never_refuse = {"DescribeAccountLimits"}
    reached = {case["operation"] for case in CASES}
    by_arn_alone = {name for name in OPERATIONS if name.startswith("Describe") and name.endswith("Attributes")}
    left = set(OPERATIONS) - reached - never_refuse - by_arn_alone
    assert left == set()
