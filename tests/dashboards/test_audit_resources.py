from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.audit_resources import Resource, resources_of

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:"
ELB = "AWS::ElasticLoadBalancingV2::"


def record(**parts: object) -> str:
    return msgspec.json.encode(parts).decode()


@pytest.mark.parametrize(("text", "resource"), [
    (ARN + "loadbalancer/gwy/inspection/0123456789abcdef", Resource(ELB + "LoadBalancer", "inspection")),
    (ARN + "targetgroup/appliances/fedcba9876543210", Resource(ELB + "TargetGroup", "appliances")),
    (ARN + "listener/gwy/inspection/0123456789abcdef/00aa11bb22cc33dd", Resource(ELB + "Listener", "00aa11bb22cc33dd")),
    ("vpce-0a0a0a0a", Resource("AWS::EC2::VPCEndpoint", "vpce-0a0a0a0a")),
    ("vpc-0a0a0a0a", Resource("AWS::EC2::VPC", "vpc-0a0a0a0a")),
])
def test_resources_are_known_by_their_arns_and_ids(text: str, resource: Resource) -> None:
    assert resources_of(record(requestParameters={"things": [{"id": text}]})) == [resource]


def test_parameters_come_before_the_answer_and_nothing_twice() -> None:
    group, balancer = ARN + "targetgroup/a/0a", ARN + "loadbalancer/gwy/b/0b"
    found = resources_of(record(requestParameters={"x": group}, responseElements={"y": [balancer, group]}))
    assert [each.name for each in found] == ["a", "b"]


def test_a_listed_resource_is_named_as_its_arn_names_it() -> None:
    listed = [{"type": ELB + "LoadBalancer", "ARN": ARN + "loadbalancer/gwy/inspection/0123456789abcdef"}]
    assert resources_of(record(resources=listed)) == [Resource(ELB + "LoadBalancer", "inspection")]


def test_a_record_that_lists_its_resources_is_believed() -> None:
    listed = [{"type": "AWS::EC2::VPC", "ARN": "arn:x"}]
    assert resources_of(record(resources=listed, requestParameters={"x": "vpce-00"})) == [
        Resource("AWS::EC2::VPC", "arn:x")]


@given(st.one_of(st.text(max_size=80), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
).map(lambda value: msgspec.json.encode({"requestParameters": value, "resources": value}).decode())))
def test_any_text_gives_resources_or_none(text: str) -> None:
    assert isinstance(resources_of(text), list)
