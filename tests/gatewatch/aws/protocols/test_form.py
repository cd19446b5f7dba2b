"""Form bodies: what botocore writes is read back, and any other form gives parameters or problems, nothing else."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.aws.error import AwsError
from gatewatch.aws.protocols.form import read_form, read_parameters, scalar_of_text
from gatewatch.aws.services import SERVICES, model


def round_trip(service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    protocol = SERVICES[service].protocol
    operation_model = model(service).operation_model(operation)
    sent = create_serializer(protocol, False).serialize_to_request(parameters, operation_model)
    fields = {name: str(value) for name, value in sent["body"].items()}
    found, problems = read_parameters(fields, operation_model.input_shape, protocol)
    assert problems == []
    return found


@pytest.mark.parametrize(("service", "operation", "parameters"), [
    ("elbv2", "CreateLoadBalancer", {
        "Name": "gw", "Subnets": ["s-2", "s-1"], "Tags": [{"Key": "a", "Value": "b"}], "Type": "gateway",
    }),
    ("elbv2", "CreateTargetGroup", {
        "Name": "t", "Port": 6081, "HealthCheckEnabled": False, "Matcher": {"HttpCode": "200-399"},
    }),
    ("elbv2", "RegisterTargets", {"TargetGroupArn": "a", "Targets": []}),
    ("ec2", "DescribeVpcs", {"Filters": [{"Name": "n", "Values": ["a", "b"]}], "VpcIds": ["v"], "DryRun": True}),
    ("ec2", "CreateFlowLogs", {
        "ResourceIds": ["vpc-1"], "ResourceType": "VPC", "MaxAggregationInterval": 60,
        "TagSpecifications": [{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "k", "Value": "v"}]}],
        "DestinationOptions": {"FileFormat": "parquet", "PerHourPartition": True},
    }),
    ("cloudwatch", "PutMetricData", {"Namespace": "n", "MetricData": [
        {"MetricName": "m", "Value": 1.5, "Timestamp": datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC),
         "Dimensions": [{"Name": "d", "Value": "e"}]},
    ]}),
])
def test_what_botocore_writes_is_read_back(service: str, operation: str, parameters: dict[str, Any]) -> None:
    assert round_trip(service, operation, parameters) == parameters


tag = st.fixed_dictionaries({"Key": st.text(max_size=5)}, optional={"Value": st.text(max_size=5)})


@given(st.fixed_dictionaries(
    {"Name": st.text(max_size=8), "Tags": st.lists(tag, min_size=1, max_size=12)},
    optional={"Subnets": st.lists(st.text(max_size=4), min_size=1, max_size=12)},
))
def test_any_values_come_back(parameters: dict[str, Any]) -> None:
    assert round_trip("elbv2", "CreateLoadBalancer", parameters) == parameters


names = st.lists(
    st.sampled_from(["Tags", "member", "1", "2", "0", "99999999999", "Key", "Subnets", "Name", "", "entry", "²"]),
    min_size=1, max_size=5,
).map(".".join)


@given(st.dictionaries(names, st.text(max_size=4), max_size=8), st.sampled_from(["query", "ec2"]))
def test_any_fields_give_parameters_or_an_aws_error(fields: dict[str, str], protocol: str) -> None:
    shape = model("elbv2").operation_model("CreateLoadBalancer").input_shape
    found: dict[str, Any] = {}
    with suppress(AwsError):
        found, _ = read_parameters(fields, shape, protocol)
    assert found.keys() <= shape.members.keys()


@pytest.mark.parametrize(("fields", "paths"), [
    ({"Colour": "red"}, ["Colour"]),
    ({"Tags.member.1.Colour": "red"}, ["Tags.member.1.Colour", ]),
    ({"Tags.1.Key": "a"}, ["Tags.1"]),
    ({"Tags": "a"}, ["Tags"]),
    ({"Subnets.member.1.x": "a"}, ["Subnets.1"]),
    ({f"Subnets.member.{'9' * 5_000}": "a"}, [f"Subnets.{'9' * 5_000}"]),
    ({"Name.x": "a"}, ["Name"]),
])
def test_what_does_not_fit_is_named(fields: dict[str, str], paths: list[str]) -> None:
    shape = model("elbv2").operation_model("CreateLoadBalancer").input_shape
    _, problems = read_parameters(fields, shape, "query")
    assert [problem.path for problem in problems] == [path.replace(".member.", ".") for path in paths]


@pytest.mark.parametrize("body", [b"a", b"\xff=1", b"&".join(b"a%d=1" % number for number in range(5001))])
def test_what_is_no_form(body: bytes) -> None:
    with pytest.raises(AwsError, match="MalformedQueryString"):
        read_form(body)


@pytest.mark.parametrize("fields", [{"A": "1", "A.B": "2"}, {"A.B": "2", "A": "1"}, {".".join("a" * 13): "1"}])
def test_names_that_contradict_each_other(fields: dict[str, str]) -> None:
    with pytest.raises(AwsError, match="MalformedQueryString"):
        read_parameters(fields, None, "query")


@pytest.mark.parametrize(("type_name", "text", "value"), [
    ("integer", "7", 7), ("integer", "-7", -7), ("integer", "7_000", None), ("integer", " 7", None), ("long", "7.0", None),
    ("integer", "9" * 20, None), ("boolean", "TRUE", True), ("boolean", "1", None), ("double", "1e3", 1000.0),
    ("double", "x", None), ("timestamp", "2026-11-23T00:00:00Z", datetime(2026, 11, 23, tzinfo=UTC)),
    ("timestamp", "soon", None), ("blob", "YQ==", b"a"), ("blob", "?", None), ("string", "", ""),
])
def test_scalars(type_name: str, text: str, value: Any) -> None:
    assert scalar_of_text(type_name, text) == value


def test_an_operation_without_input_takes_nothing() -> None:
    found, problems = read_parameters({"Action": "GetCallerIdentity", "Version": "2011-06-15", "X": "1"}, None, "query")
    assert (found, [problem.unknown for problem in problems]) == ({}, [True])
