"""The audit events of calls, field by field as CloudTrail writes them."""

from __future__ import annotations

from typing import Any

import pytest

SUBNETS = ["subnet-0a000000000000001"]


def test_the_event_of_a_change(api: Any) -> None:
    made = api.elbv2("CreateLoadBalancer", Name="gw1", Type="gateway", Subnets=SUBNETS)
    (event,) = api.events()
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    assert len(event.pop("requestID")) == len(event.pop("eventID")) == 36
    assert event == {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser", "principalId": "AKIDTEST", "arn": "arn:aws:iam::123456789012:user/AKIDTEST",
            "accountId": "123456789012", "accessKeyId": "AKIDTEST", "userName": "AKIDTEST",
        },
        "eventTime": "2026-11-01T10:00:00Z",
        "eventSource": "elasticloadbalancing.amazonaws.com",
        "eventName": "CreateLoadBalancer",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "test",
        "requestParameters": {"name": "gw1", "type": "gateway", "subnets": SUBNETS},
        "responseElements": {"loadBalancers": [{
            "loadBalancerArn": arn, "createdTime": "Nov 1, 2026, 10:00:00 AM", "loadBalancerName": "gw1",
            "vpcId": "vpc-0aa11aa11aa11aa11", "state": {"code": "provisioning"}, "type": "gateway",
            "availabilityZones": [{"zoneName": "us-east-1a", "subnetId": SUBNETS[0]}], "ipAddressType": "ipv4",
        }]},
        "readOnly": False,
        "resources": [
            {"ARN": arn, "accountId": "123456789012", "type": "AWS::ElasticLoadBalancingV2::LoadBalancer"}
        ],
        "eventType": "AwsApiCall",
        "apiVersion": "2015-12-01",
        "managementEvent": True,
        "recipientAccountId": "123456789012",
        "eventCategory": "Management",
    }


def test_a_change_with_an_empty_answer_has_no_response_elements(api: Any) -> None:
    group = api.target_group()
    api.register(group, "i-0a000000000000001")
    event = api.events()[-1]
    assert event["requestParameters"] == {"targetGroupArn": group, "targets": [{"id": "i-0a000000000000001"}]}
    assert event["responseElements"] is None


def test_a_read_has_no_response_elements(api: Any) -> None:
    api.load_balancer()
    api.elbv2("DescribeLoadBalancers", Names=["gw"])
    event = api.events()[-1]
    assert (event["readOnly"], event["requestParameters"], event["responseElements"]) == (True, {"names": ["gw"]}, None)


def test_a_refused_call_tells_the_error(api: Any) -> None:
    with pytest.raises(Exception, match="LoadBalancerNotFound"):
        api.elbv2("DescribeLoadBalancers", Names=["gw9"])
    (event,) = api.events()
    assert (event["errorCode"], event["errorMessage"]) == ("LoadBalancerNotFound", "Load balancers '[gw9]' not found")


def test_a_call_that_breaks_the_model_is_recorded_with_what_was_readable(api: Any) -> None:
    with pytest.raises(Exception, match="ValidationError"):
        api.post("elbv2", "CreateTargetGroup", {
            "Action": "CreateTargetGroup", "Version": "2015-12-01", "Name": "x", "Port": "many", "Colour": "red",
        })
    (event,) = api.events()
    assert event["errorCode"] == "ValidationError"
    assert event["requestParameters"] == {"name": "x"}


def test_ec2_codes_say_whose_fault_it_is(api: Any) -> None:
    with pytest.raises(Exception, match=r"InvalidVpcID\.NotFound"):
        api.call("ec2", "DescribeVpcs", VpcIds=["vpc-9"])
    event = api.events()[-1]
    assert (event["eventSource"], event["errorCode"]) == ("ec2.amazonaws.com", "Client.InvalidVpcID.NotFound")
