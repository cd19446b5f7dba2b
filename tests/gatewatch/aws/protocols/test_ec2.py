"""The ec2 protocol, read by botocore."""

from __future__ import annotations

from gatewatch.aws.error import AwsError
from gatewatch.aws.protocols.ec2 import Ec2
from gatewatch.aws.services import EC2, model
from tests.gatewatch.aws.protocols.reading import parsed


def test_results() -> None:
    result = {"Vpcs": [{"VpcId": "v", "IsDefault": False, "Tags": [{"Key": "k", "Value": "v"}]}]}
    found = parsed(EC2, "DescribeVpcs", Ec2().result(EC2, model("ec2").operation_model("DescribeVpcs"), result, "rid"), "ec2")
    assert found.pop("ResponseMetadata")["RequestId"] == "rid"
    assert found == result


def test_errors() -> None:
    found = parsed(EC2, "DescribeVpcs", Ec2().error(EC2, AwsError("Some.Code", "a <b>", 412), "rid"), "ec2")
    assert (found["Error"]["Code"], found["Error"]["Message"]) == ("Some.Code", "a <b>")


def test_it_is_known_by_what_it_is_signed_for() -> None:
    assert Ec2().recognise({"authorization": "AWS4-HMAC-SHA256 Credential=A/20261123/us-east-1/ec2/aws4_request, x"}, "/")
    assert not Ec2().recognise({}, "/")
