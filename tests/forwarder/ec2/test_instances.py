"""Instances: launched, stopped, started, terminated, and every reason for which they are not."""

from __future__ import annotations

from typing import Any

import pytest

from forwarder.ec2.instances import INSTANCES_MAX
from forwarder.lab.names import aws_id
from forwarder.lab.plan import Plan
from forwarder.lab.wiring import wire
from tests.forwarder.conftest import Refused
from tests.forwarder.ec2.conftest import SUBNET

SERVER_IMAGE, APPLIANCE_IMAGE = "ami-00000000000000001", "ami-00000000000000002"


def run(api: Any, **more: Any) -> list[dict[str, Any]]:
    asked = {"ImageId": SERVER_IMAGE, "SubnetId": SUBNET, "MinCount": 1, "MaxCount": 1}
    return list(api.call("ec2", "RunInstances", **asked | more)["Instances"])


def wired(api: Any) -> Plan:
    return wire("gw", api.store.network(), host_mtu_bytes=8500)


def test_instances_are_launched_and_wired(lab_api: Any) -> None:
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "shop"}]}]
    made = run(lab_api, MaxCount=2, TagSpecifications=tags)
    assert [each["PrivateIpAddress"] for each in made] == ["10.0.2.4", "10.0.2.5"]
    assert {(each["ImageId"], each["State"]["Name"], each["Tags"][0]["Value"]) for each in made} == {(SERVER_IMAGE, "running", "shop")}
    (shown,) = lab_api.call("ec2", "DescribeInstances", InstanceIds=[made[0]["InstanceId"]])["Reservations"]
    assert shown["Instances"] == [made[0]]
    assert {each["InstanceId"] for each in made} <= {server.instance_id for server in wired(lab_api).servers}
    (appliance,) = run(lab_api, ImageId=APPLIANCE_IMAGE, PrivateIpAddress="10.0.2.77")
    assert [each.address for each in wired(lab_api).appliances if each.instance_id == appliance["InstanceId"]] == ["10.0.2.77"]


def test_the_same_request_again_finds_what_it_made(lab_api: Any) -> None:
    asked = {"ClientToken": "once", "MaxCount": 2, "PrivateIpAddress": None}
    first, again = (run(lab_api, **{key: value for key, value in asked.items() if value is not None}) for _ in range(2))
    assert first == again
    other = {"ClientToken": "other", "PrivateIpAddress": "10.0.2.77"}
    assert run(lab_api, **other) == run(lab_api, **other)
    with pytest.raises(Refused) as refused:
        run(lab_api, ClientToken="once", ImageId=APPLIANCE_IMAGE)
    assert refused.value.code == "IdempotentParameterMismatch"


def test_a_stopped_instance_keeps_its_address_and_has_no_namespace(lab_api: Any) -> None:
    (made,) = run(lab_api)
    (changed,) = lab_api.call("ec2", "StopInstances", InstanceIds=[made["InstanceId"]])["StoppingInstances"]
    assert (changed["PreviousState"], changed["CurrentState"]) == ({"Code": 16, "Name": "running"}, {"Code": 80, "Name": "stopped"})
    assert made["InstanceId"] not in {server.instance_id for server in wired(lab_api).servers}
    assert run(lab_api)[0]["PrivateIpAddress"] == "10.0.2.5"
    lab_api.call("ec2", "StartInstances", InstanceIds=[made["InstanceId"]])
    assert made["InstanceId"] in {server.instance_id for server in wired(lab_api).servers}


def test_a_terminated_instance_is_gone(lab_api: Any) -> None:
    (made,) = run(lab_api)
    (changed,) = lab_api.call("ec2", "TerminateInstances", InstanceIds=[made["InstanceId"]])["TerminatingInstances"]
    assert changed["CurrentState"] == {"Code": 48, "Name": "terminated"}
    assert lab_api.store.network() == lab_api.inventory


@pytest.mark.parametrize(("parameters", "code"), [
    ({"ImageId": "ami-1"}, "InvalidAMIID.NotFound"),
    ({"SubnetId": "subnet-1"}, "InvalidSubnetID.NotFound"),
    ({"MinCount": 2}, "InvalidParameterValue"),
    ({"MaxCount": 2, "PrivateIpAddress": "10.0.2.77"}, "InvalidParameterCombination"),
    ({"PrivateIpAddress": "10.0.3.7"}, "InvalidParameterValue"),
    ({"PrivateIpAddress": "10.0.2.11"}, "InvalidIPAddress.InUse"),
    ({"MinCount": INSTANCES_MAX, "MaxCount": INSTANCES_MAX}, "InstanceLimitExceeded"),
    ({"DryRun": True}, "DryRunOperation"),
])
def test_refusals_change_nothing(lab_api: Any, parameters: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        run(lab_api, **parameters)
    assert refused.value.code == code
    assert lab_api.store.network() == lab_api.inventory


@pytest.mark.parametrize("operation", ["StopInstances", "StartInstances", "TerminateInstances"])
def test_an_instance_that_is_not_there(lab_api: Any, operation: str) -> None:
    with pytest.raises(Refused) as refused:
        lab_api.call("ec2", operation, InstanceIds=[aws_id("gw", "i", "server-1"), "i-1"])
    assert refused.value.code == "InvalidInstanceID.NotFound"
    assert lab_api.store.network() == lab_api.inventory
