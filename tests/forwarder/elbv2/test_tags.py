"""Tags: added, replaced, removed, at most fifty."""

from __future__ import annotations

from typing import Any

import pytest


def described(api: Any, *arns: str) -> list[dict[str, str]]:
    answer = api.elbv2("DescribeTags", ResourceArns=list(arns))
    return [{tag["Key"]: tag["Value"] for tag in item["Tags"]} for item in answer["TagDescriptions"]]


def test_tags_given_at_creation_are_there(api: Any) -> None:
    group = api.target_group(Tags=[{"Key": "team", "Value": "netz ünï_1"}, {"Key": "empty"}])
    assert described(api, group) == [{"team": "netz ünï_1", "empty": ""}]


@pytest.fixture
def three(api: Any) -> list[str]:
    """A load balancer, its target group and its listener."""
    load_balancer, group = api.load_balancer(), api.target_group()
    return [load_balancer, group, api.listener(load_balancer, group)]


def test_tags_of_several_resources_at_once(api: Any, three: list[str]) -> None:
    api.elbv2("AddTags", ResourceArns=three, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    api.elbv2("AddTags", ResourceArns=three[:1], Tags=[{"Key": "a", "Value": "3"}])
    api.elbv2("RemoveTags", ResourceArns=three[1:], TagKeys=["b", "never"])
    assert described(api, *three) == [{"a": "3", "b": "2"}, {"a": "1"}, {"a": "1"}]


def test_fifty_tags_and_no_more(api: Any, three: list[str]) -> None:
    fifty = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    api.elbv2("AddTags", ResourceArns=three[:1], Tags=fifty)
    with pytest.raises(Exception, match="TooManyTags"):
        api.elbv2("AddTags", ResourceArns=three[:1], Tags=[{"Key": "one-more", "Value": ""}])
    assert len(described(api, three[0])[0]) == 50
