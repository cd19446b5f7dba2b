"""Filters, ids and pages of the ec2 listings."""

from __future__ import annotations

from typing import Any

import pytest

from forwarder.ec2.listing import Listing, tag_filters, values_at
from gatewatch.aws.error import AwsError

LISTING = Listing(
    ids_member="Ids", id_member="Id", not_found="No.Found", what="thing",
    filters={"id": values_at("Id"), "part": values_at("Parts", "Name"), "on": values_at("On"), **tag_filters()},
)
ITEMS = [
    {"Id": f"t-{number}", "Parts": [{"Name": f"p{number}"}, {"Name": "all[1]"}], "On": number % 2 == 0,
     "Tags": [{"Key": "Name", "Value": "even"}, {"Key": "of=team", "Value": "a=b"}] if number % 2 == 0 else []}
    for number in range(7)
]


def ids(**parameters: Any) -> list[str]:
    return [item["Id"] for item in LISTING.select(ITEMS, parameters)[0]]


@pytest.mark.parametrize(("name", "patterns", "found"), [
    ("id", ["t-1", "t-3"], ["t-1", "t-3"]),
    ("id", ["T-1"], []),
    ("id", ["t-?"], [f"t-{number}" for number in range(7)]),
    ("id", ["t-\\?"], []),
    ("part", ["p[1]"], []),
    ("part", ["all[1]"], [f"t-{number}" for number in range(7)]),
    ("part", ["*5"], ["t-5"]),
    ("on", ["true"], ["t-0", "t-2", "t-4", "t-6"]),
    ("tag:Name", ["e*"], ["t-0", "t-2", "t-4", "t-6"]),
    ("tag:of=team", ["a=b"], ["t-0", "t-2", "t-4", "t-6"]),
    ("tag:of", ["team=a=b"], []),
    ("tag:other", ["*"], []),
    ("tag-key", ["Name"], ["t-0", "t-2", "t-4", "t-6"]),
    ("id", [], []),
])
def test_filters(name: str, patterns: list[str], found: list[str]) -> None:
    assert ids(Filters=[{"Name": name, "Values": patterns}]) == found


def test_several_filters_must_all_match() -> None:
    assert ids(Filters=[{"Name": "on", "Values": ["true"]}, {"Name": "part", "Values": ["p1", "p2"]}]) == ["t-2"]


def test_ids_are_answered_once_each() -> None:
    assert ids(Ids=["t-3", "t-1", "t-3"]) == ["t-3", "t-1"]


def test_pages() -> None:
    page, more = LISTING.select(ITEMS, {"MaxResults": 5})
    rest, end = LISTING.select(ITEMS, {"MaxResults": 5, **more})
    assert ([len(page), len(rest)], end) == ([5, 2], {})


@pytest.mark.parametrize(("parameters", "code"), [
    ({"Ids": ["t-9"]}, "No.Found"),
    ({"Ids": ["t-1"], "MaxResults": 5}, "InvalidParameterCombination"),
    ({"Filters": [{"Name": "id", "Values": ["x"] * 201}]}, "FilterLimitExceeded"),
    ({"Filters": [{"Values": ["x"]}]}, "InvalidParameterValue"),
    ({"NextToken": "bm90aGluZw=="}, "InvalidNextToken"),
])
def test_refusals(parameters: dict[str, Any], code: str) -> None:
    with pytest.raises(AwsError) as refused:
        LISTING.select(ITEMS, parameters)
    assert refused.value.code == code
