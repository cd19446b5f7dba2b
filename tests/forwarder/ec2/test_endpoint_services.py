"""Endpoint services: made, shown, changed and taken away, and every reason for which they are not."""

from __future__ import annotations

from typing import Any

import pytest

from forwarder.ec2.endpoint_services import SERVICES_MAX
from forwarder.lab.names import aws_id
from tests.forwarder.conftest import Refused
from tests.forwarder.ec2.conftest import Served

CREATE, MODIFY = "CreateVpcEndpointServiceConfiguration", "ModifyVpcEndpointServiceConfiguration"
NOWHERE = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/gwy/none/0000000000000009"


def another(lab_api: Any, name: str = "second") -> str:
    subnets = [subnet.id for subnet in lab_api.inventory.subnets if subnet.vpc_id == aws_id("gw", "vpc", "provider")]
    return str(lab_api.load_balancer(name, tuple(subnets)))


def test_a_service_is_made_and_shown(lab_api: Any) -> None:
    balancer = another(lab_api)
    tags = [{"ResourceType": "vpc-endpoint-service", "Tags": [{"Key": "team", "Value": "edge"}]}]
    made = lab_api.call("ec2", CREATE, GatewayLoadBalancerArns=[balancer], TagSpecifications=tags)["ServiceConfiguration"]
    service = made["ServiceId"]
    assert made == {
        "ServiceType": [{"ServiceType": "GatewayLoadBalancer"}], "ServiceId": service,
        "ServiceName": f"com.amazonaws.vpce.us-east-1.{service}", "ServiceState": "Available",
        "AvailabilityZones": ["us-east-1a", "us-east-1b"], "AcceptanceRequired": True, "ManagesVpcEndpoints": False,
        "GatewayLoadBalancerArns": [balancer], "SupportedIpAddressTypes": ["ipv4"], "Tags": [{"Key": "team", "Value": "edge"}],
    }
    described = lab_api.call("ec2", "DescribeVpcEndpointServiceConfigurations", ServiceIds=[service])["ServiceConfigurations"]
    assert described == [made]
    offers = lab_api.call("ec2", "DescribeVpcEndpointServices", Filters=[{"Name": "tag:team", "Values": ["e*"]}])
    assert offers["ServiceNames"] == [made["ServiceName"]]
    assert offers["ServiceDetails"][0]["Owner"] == "123456789012"


def test_the_same_request_again_finds_what_it_made(lab_api: Any) -> None:
    balancer = another(lab_api)
    first, again = (
        lab_api.call("ec2", CREATE, GatewayLoadBalancerArns=[balancer], ClientToken="once") for _ in range(2)
    )
    assert first == again
    assert first["ClientToken"] == "once"
    with pytest.raises(Refused) as refused:
        lab_api.call("ec2", CREATE, GatewayLoadBalancerArns=[balancer], ClientToken="once", AcceptanceRequired=False)
    assert refused.value.code == "IdempotentParameterMismatch"


def test_a_service_changes_its_load_balancers(served: Served) -> None:
    second = another(served.api)
    served.api.call("ec2", MODIFY, ServiceId=served.service, AddGatewayLoadBalancerArns=[second],
                    RemoveGatewayLoadBalancerArns=[served.balancer], AcceptanceRequired=True)
    (shown,) = served.api.call("ec2", "DescribeVpcEndpointServiceConfigurations")["ServiceConfigurations"]
    assert (shown["GatewayLoadBalancerArns"], shown["AcceptanceRequired"]) == ([second], True)


def test_a_load_balancer_with_a_service_stays(served: Served) -> None:
    with pytest.raises(Refused) as refused:
        served.api.elbv2("DeleteLoadBalancer", LoadBalancerArn=served.balancer)
    assert refused.value.code == "ResourceInUse"
    served.api.call("ec2", "DeleteVpcEndpointServiceConfigurations", ServiceIds=[served.service])
    served.api.elbv2("DeleteLoadBalancer", LoadBalancerArn=served.balancer)


def test_a_service_with_endpoints_stays(served: Served) -> None:
    endpoint = served.endpoint()["VpcEndpointId"]
    answer = served.api.call("ec2", "DeleteVpcEndpointServiceConfigurations", ServiceIds=[served.service, "vpce-svc-1"])
    assert [(each["ResourceId"], each["Error"]["Code"]) for each in answer["Unsuccessful"]] == [
        (served.service, "ExistingVpcEndpointConnections"), ("vpce-svc-1", "InvalidVpcEndpointServiceId.NotFound"),
    ]
    served.api.call("ec2", "RejectVpcEndpointConnections", ServiceId=served.service, VpcEndpointIds=[endpoint])
    answer = served.api.call("ec2", "DeleteVpcEndpointServiceConfigurations", ServiceIds=[served.service])
    assert answer["Unsuccessful"] == []
    assert served.api.call("ec2", "DescribeVpcEndpointConnections")["VpcEndpointConnections"] == []


@pytest.mark.parametrize(("operation", "parameters", "code"), [
    (CREATE, {}, "MissingParameter"),
    (CREATE, {"GatewayLoadBalancerArns": [NOWHERE]}, "InvalidParameter"),
    (CREATE, {"GatewayLoadBalancerArns": ["BALANCER"]}, "InvalidParameter"),
    (CREATE, {"NetworkLoadBalancerArns": [NOWHERE]}, "UnsupportedOperation"),
    (CREATE, {"GatewayLoadBalancerArns": ["SECOND"], "SupportedIpAddressTypes": ["ipv6"]}, "UnsupportedOperation"),
    (CREATE, {"GatewayLoadBalancerArns": ["SECOND"], "DryRun": True}, "DryRunOperation"),
    (MODIFY, {"ServiceId": "vpce-svc-1"}, "InvalidVpcEndpointServiceId.NotFound"),
    (MODIFY, {"RemoveGatewayLoadBalancerArns": ["BALANCER"]}, "MissingParameter"),
    (MODIFY, {"RemoveGatewayLoadBalancerArns": [NOWHERE]}, "InvalidParameter"),
    (MODIFY, {"PrivateDnsName": "a.example"}, "UnsupportedOperation"),
    ("DescribeVpcEndpointServices", {"ServiceNames": ["com.amazonaws.us-east-1.s3"]}, "InvalidServiceName"),
    ("DescribeVpcEndpointServiceConfigurations", {"ServiceIds": ["vpce-svc-1"]}, "InvalidVpcEndpointServiceId.NotFound"),
])
def test_refusals_change_nothing(served: Served, operation: str, parameters: dict[str, Any], code: str) -> None:
    names = {"BALANCER": served.balancer, "SECOND": another(served.api)}
    given = {key: [names.get(each, each) for each in value] if isinstance(value, list) else value for key, value in parameters.items()}
    before = served.api.store.network()
    with pytest.raises(Refused) as refused:
        served.api.call("ec2", operation, **({"ServiceId": served.service} if operation == MODIFY else {}) | given)
    assert refused.value.code == code
    assert served.api.store.network() == before


def test_there_is_a_most_of_services(lab_api: Any) -> None:
    for number in range(SERVICES_MAX):
        lab_api.call("ec2", CREATE, GatewayLoadBalancerArns=[another(lab_api, f"b{number}")])
        lab_api.store.activate([])
    lab_api.call("ec2", "DeleteVpcEndpointServiceConfigurations", ServiceIds=[lab_api.store.network().endpoint_services[0].id])
    free = lab_api.elbv2("DescribeLoadBalancers", Names=["b0"])["LoadBalancers"][0]["LoadBalancerArn"]
    lab_api.call("ec2", CREATE, GatewayLoadBalancerArns=[free])
    with pytest.raises(Refused) as refused:
        lab_api.call("ec2", CREATE, GatewayLoadBalancerArns=[free])
    assert refused.value.code == "VpcEndpointServiceLimitExceeded"
