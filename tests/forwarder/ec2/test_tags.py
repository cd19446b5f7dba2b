"""Tags: given, replaced, taken away, found, and every reason for which they are not."""

from __future__ import annotations

from typing import Any

import pytest

from forwarder.ec2.tags import TAGS_MAX
from forwarder.lab.names import aws_id
from tests.forwarder.conftest import Refused
from tests.forwarder.ec2.conftest import SUBNET, VPC

TABLE = aws_id("gw", "rtb", "edge")


def tags(api: Any, resource: str) -> dict[str, str]:
    answer = api.call("ec2", "DescribeTags", Filters=[{"Name": "resource-id", "Values": [resource]}])
    return {tag["Key"]: tag["Value"] for tag in answer["Tags"]}


def test_tags_are_given_replaced_and_taken_away(lab_api: Any) -> None:
    lab_api.call("ec2", "CreateTags", Resources=[VPC, TABLE], Tags=[{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": "test"}])
    lab_api.call("ec2", "CreateTags", Resources=[TABLE], Tags=[{"Key": "team", "Value": "b"}])
    assert tags(lab_api, VPC) == {"Name": "consumer", "stage": "test", "team": "a"}
    assert tags(lab_api, TABLE) == {"Name": "edge", "stage": "test", "team": "b"}
    lab_api.call("ec2", "DeleteTags", Resources=[VPC, TABLE], Tags=[{"Key": "team", "Value": "a"}, {"Key": "stage"}])
    assert (tags(lab_api, VPC), tags(lab_api, TABLE)) == ({"Name": "consumer"}, {"Name": "edge", "team": "b"})
    lab_api.call("ec2", "DeleteTags", Resources=[TABLE])
    assert tags(lab_api, TABLE) == {"Name": "edge"}


def test_a_tag_to_be_taken_away_has_a_key(lab_api: Any) -> None:
    lab_api.call("ec2", "CreateTags", Resources=[TABLE], Tags=[{"Key": "team", "Value": "a"}])
    with pytest.raises(Refused) as refused:
        lab_api.call("ec2", "DeleteTags", Resources=[TABLE], Tags=[{"Key": "team"}, {"Value": "a"}])
    assert refused.value.code == "InvalidParameterValue"
    assert tags(lab_api, TABLE) == {"Name": "edge", "team": "a"}


def test_descriptions_show_tags_and_find_by_them(lab_api: Any) -> None:
    lab_api.call("ec2", "CreateTags", Resources=[SUBNET], Tags=[{"Key": "Name", "Value": "shop"}, {"Key": "team", "Value": "a"}])
    found = lab_api.call("ec2", "DescribeSubnets", Filters=[{"Name": "tag:team", "Values": ["?"]}])["Subnets"]
    assert [(subnet["SubnetId"], subnet["Tags"]) for subnet in found] == [
        (SUBNET, [{"Key": "Name", "Value": "shop"}, {"Key": "team", "Value": "a"}]),
    ]


def test_tags_go_with_what_they_are_on(lab_api: Any) -> None:
    specification = [{"ResourceType": "route-table", "Tags": [{"Key": "team", "Value": "x"}]}]
    made = lab_api.call("ec2", "CreateRouteTable", VpcId=VPC, ClientToken="once", TagSpecifications=specification)
    lab_api.call("ec2", "DeleteRouteTable", RouteTableId=made["RouteTable"]["RouteTableId"])
    again = lab_api.call("ec2", "CreateRouteTable", VpcId=VPC, ClientToken="once")
    assert (again["RouteTable"]["RouteTableId"], again["RouteTable"]["Tags"]) == (made["RouteTable"]["RouteTableId"], [])


@pytest.mark.parametrize(("resource", "given", "code"), [
    ("vpc-1", [{"Key": "a", "Value": "b"}], "InvalidVpcID.NotFound"),
    ("vpce-svc-1", [{"Key": "a", "Value": "b"}], "InvalidVpcEndpointServiceId.NotFound"),
    ("bucket", [{"Key": "a", "Value": "b"}], "InvalidID"),
    (VPC, [{"Key": "", "Value": "b"}], "InvalidParameterValue"),
    (VPC, [{"Key": "aws:a", "Value": "b"}], "InvalidParameterValue"),
    (VPC, [{"Key": "k" * 129, "Value": "b"}], "InvalidParameterValue"),
    (VPC, [{"Key": "a", "Value": "v" * 257}], "InvalidParameterValue"),
    (VPC, [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}], "InvalidParameterValue"),
    (VPC, [{"Key": f"k{number}", "Value": ""} for number in range(TAGS_MAX + 1)], "TagLimitExceeded"),
])
def test_refusals_change_nothing(lab_api: Any, resource: str, given: list[dict[str, str]], code: str) -> None:
    with pytest.raises(Refused) as refused:
        lab_api.call("ec2", "CreateTags", Resources=[TABLE, resource], Tags=given)
    assert refused.value.code == code
    assert tags(lab_api, TABLE) == {"Name": "edge"}
