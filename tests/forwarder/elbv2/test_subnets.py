"""Which subnets a request names (what it may not name is in wrong_requests.json)."""

from __future__ import annotations

from typing import Any

import pytest

from forwarder.elbv2.subnets import wanted_subnets
from forwarder.inventory import Inventory
from gatewatch.aws.error import AwsError


@pytest.mark.parametrize("parameters", [
    {"Subnets": ["subnet-0a000000000000002", "subnet-0a000000000000001"]},
    {"Subnets": ["subnet-0a000000000000002", "subnet-0a000000000000001", "subnet-0a000000000000002"]},
    {"SubnetMappings": [{"SubnetId": "subnet-0a000000000000002"}, {"SubnetId": "subnet-0a000000000000001"}]},
])
def test_subnets_are_taken_in_the_order_given(inventory: Inventory, parameters: dict[str, Any]) -> None:
    assert [subnet.zone for subnet in wanted_subnets(inventory, parameters)] == ["us-east-1b", "us-east-1a"]


def test_a_mapping_without_a_subnet_is_refused(inventory: Inventory) -> None:
    with pytest.raises(AwsError, match="must have a 'SubnetId'"):
        wanted_subnets(inventory, {"SubnetMappings": [{}]})
