"""All targets are deregistered while traffic runs: the outage is named everywhere, an alarm fires, and both end with it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from queries.alarms.state import StateValue, read_alarms
from tests.end_to_end.demo_run import LAB_NAME, end
from tests.ports import free_port

pytestmark = [pytest.mark.network, pytest.mark.slow]

WAIT_S_MAX = 180.0
ALARM = "gatewatch-no-target"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Any]]:
    """A demo without an end, and a client of its API."""
    folder, port = tmp_path_factory.mktemp("outage"), free_port()
    command = [sys.executable, "-m", "gatewatch", "demo", "--headless", "--data", str(folder / "data"), "--lab-name", LAB_NAME,
               "--api-port", str(port)]
    with (folder / "output").open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    client = boto3.client("elbv2", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", aws_access_key_id="any",
                          aws_secret_access_key="any")
    try:
        until(lambda: state_of_alarm(folder / "data") is StateValue.OK, "the alarm is OK")
        yield folder / "data", client
    finally:
        client.close()
        end(process)


def until(holds: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + WAIT_S_MAX
    while not holds():
        assert time.monotonic() < deadline_s, f"not within {WAIT_S_MAX:g} s: {what}"
        threading.Event().wait(0.2)


def state_of_alarm(data: Path) -> StateValue | None:
    return next((alarm.state for alarm in read_alarms(data) if alarm.name == ALARM), None) if data.exists() else None


def gatewatch(data: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-m", "gatewatch", *arguments, "--data", str(data)], capture_output=True, text=True)
    return done.returncode, done.stdout


def test_an_outage_is_named_alarms_and_ends(lab: tuple[Path, Any]) -> None:
    data, elbv2 = lab
    [group] = elbv2.describe_target_groups()["TargetGroups"]
    arn = group["TargetGroupArn"]
    elbv2.modify_target_group_attributes(
        TargetGroupArn=arn, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "5"}])
    targets = [{"Id": each["Target"]["Id"]} for each in elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]]
    elbv2.deregister_targets(TargetGroupArn=arn, Targets=targets)

    until(lambda: "target group firewalls has no target (since " in gatewatch(data, "health")[1], "health names the outage")
    status, said = gatewatch(data, "health")
    assert (status, said.startswith("critical: No packet passes: ")) == (1, True)
    shown = gatewatch(data, "status")[1].splitlines()
    assert any(line.startswith("No packet passes: target group firewalls has no target") for line in shown[:4])
    told = json.loads(gatewatch(data, "status", "--output", "json")[1])["conditions"]
    assert ("no_target", "critical") in [(each["code"], each["severity"]) for each in told]
    until(lambda: state_of_alarm(data) is StateValue.ALARM, "the default alarm fires")

    elbv2.register_targets(TargetGroupArn=arn, Targets=targets)
    until(lambda: "no target" not in gatewatch(data, "health")[1], "health is calm again")
    until(lambda: state_of_alarm(data) is StateValue.OK, "the alarm is OK again")
