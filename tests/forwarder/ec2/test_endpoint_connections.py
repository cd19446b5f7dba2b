"""What a service's owner says of endpoints, and who may make them."""

from __future__ import annotations

from typing import Any

import pytest

from forwarder.capture.drop_reason import DropReason
from forwarder.plan import make_plan
from tests.forwarder.conftest import Refused
from tests.forwarder.ec2.conftest import Served

PERMIT = "ModifyVpcEndpointServicePermissions"


@pytest.fixture
def asked(served: Served) -> Served:
    """The service's owner is asked."""
    served.api.call("ec2", "ModifyVpcEndpointServiceConfiguration", ServiceId=served.service, AcceptanceRequired=True)
    return served


def refusal(served: Served, endpoint: str) -> DropReason | None:
    """Why the endpoint's packets would not pass."""
    desired = served.api.store.desired()
    plan = make_plan(desired, desired.network, maglev_slots=251)
    return next(each.refusal for each in plan.endpoints if each.endpoint_id == endpoint)


def test_packets_pass_once_the_endpoint_was_accepted(asked: Served) -> None:
    group = asked.api.elbv2("CreateTargetGroup", Name="t", Protocol="GENEVE", Port=6081, VpcId=asked.api.inventory.vpcs[1].id)
    asked.api.listener(asked.balancer, group["TargetGroups"][0]["TargetGroupArn"])
    endpoint = asked.endpoint()["VpcEndpointId"]
    assert refusal(asked, endpoint) is DropReason.NO_LOAD_BALANCER
    answer = asked.api.call("ec2", "AcceptVpcEndpointConnections", ServiceId=asked.service, VpcEndpointIds=[endpoint, "vpce-1"])
    assert [each["ResourceId"] for each in answer["Unsuccessful"]] == ["vpce-1"]
    assert refusal(asked, endpoint) is None
    asked.api.store.observe_network({"endpoints": {endpoint}})
    (connection,) = asked.api.call("ec2", "DescribeVpcEndpointConnections")["VpcEndpointConnections"]
    assert connection == {
        "ServiceId": asked.service, "VpcEndpointId": endpoint, "VpcEndpointOwner": "123456789012", "VpcEndpointState": "available",
        "CreationTimestamp": connection["CreationTimestamp"], "GatewayLoadBalancerArns": [asked.balancer], "IpAddressType": "ipv4",
        "VpcEndpointConnectionId": f"vpce-con-{endpoint.removeprefix('vpce-')}", "Tags": [],
    }
    asked.api.call("ec2", "RejectVpcEndpointConnections", ServiceId=asked.service, VpcEndpointIds=[endpoint])
    assert refusal(asked, endpoint) is DropReason.NO_LOAD_BALANCER
    assert [each["State"] for each in asked.endpoints()] == ["rejected"]


def test_connections_are_found_by_state(asked: Served) -> None:
    first, _ = (asked.endpoint()["VpcEndpointId"] for _ in range(2))
    asked.api.call("ec2", "RejectVpcEndpointConnections", ServiceId=asked.service, VpcEndpointIds=[first])
    answer = asked.api.call(
        "ec2", "DescribeVpcEndpointConnections", Filters=[{"Name": "vpc-endpoint-state", "Values": ["rejected"]}])
    assert [each["VpcEndpointId"] for each in answer["VpcEndpointConnections"]] == [first]


def test_principals_are_allowed_and_taken_back(served: Served) -> None:
    root, role = "arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:role/ops"
    answer = served.api.call("ec2", PERMIT, ServiceId=served.service, AddAllowedPrincipals=[root, role, "*"])
    assert answer["ReturnValue"] is True
    assert [each["PrincipalType"] for each in answer["AddedPrincipals"]] == ["Account", "Role", "All"]
    served.api.call("ec2", PERMIT, ServiceId=served.service, RemoveAllowedPrincipals=[role, "*"])
    shown = served.api.call("ec2", "DescribeVpcEndpointServicePermissions", ServiceId=served.service)
    assert shown["AllowedPrincipals"] == [{"Principal": root, "PrincipalType": "Account"}]


@pytest.mark.parametrize(("operation", "parameters", "code"), [
    (PERMIT, {"AddAllowedPrincipals": ["somebody"]}, "InvalidPrincipal"),
    (PERMIT, {"AddAllowedPrincipals": ["*"], "DryRun": True}, "DryRunOperation"),
    (PERMIT, {"ServiceId": "vpce-svc-1"}, "InvalidVpcEndpointServiceId.NotFound"),
    ("AcceptVpcEndpointConnections", {"ServiceId": "vpce-svc-1", "VpcEndpointIds": ["vpce-1"]}, "InvalidVpcEndpointServiceId.NotFound"),
    ("AcceptVpcEndpointConnections", {"VpcEndpointIds": ["vpce-1"], "DryRun": True}, "DryRunOperation"),
])
def test_refusals_change_nothing(served: Served, operation: str, parameters: dict[str, Any], code: str) -> None:
    before = served.api.store.network()
    with pytest.raises(Refused) as refused:
        served.api.call("ec2", operation, **{"ServiceId": served.service} | parameters)
    assert refused.value.code == code
    assert served.api.store.network() == before
