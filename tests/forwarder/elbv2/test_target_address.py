"""Where targets are (what cannot be a target is in wrong_requests.json)."""

from __future__ import annotations

from typing import Any

import pytest

from forwarder.elbv2.target_address import Place, place_of
from forwarder.inventory import Inventory

VPC = "vpc-0aa11aa11aa11aa11"


@pytest.mark.parametrize(("target_type", "target", "place"), [
    ("instance", {"Id": "i-0a000000000000002", "Port": 6081}, Place(
        id="i-0a000000000000002", address="10.1.2.12", zone="us-east-1b", instance_id="i-0a000000000000002",
        interface_id="eni-0a000000000000002",
    )),
    ("ip", {"Id": "10.1.1.11"}, Place(
        id="10.1.1.11", address="10.1.1.11", zone="us-east-1a", instance_id="i-0a000000000000001",
        interface_id="eni-0a000000000000001",
    )),
    ("ip", {"Id": "10.1.1.200", "AvailabilityZone": "us-east-1a"},
     Place(id="10.1.1.200", address="10.1.1.200", zone="us-east-1a")),
    ("ip", {"Id": "100.64.3.4", "AvailabilityZone": "all"},
     Place(id="100.64.3.4", address="100.64.3.4", zone="all")),
    ("ip", {"Id": "10.200.0.1", "AvailabilityZone": "us-east-1b"},
     Place(id="10.200.0.1", address="10.200.0.1", zone="us-east-1b")),
])
def test_places(inventory: Inventory, target_type: str, target: dict[str, Any], place: Place) -> None:
    assert place_of(inventory, VPC, target_type, target) == place
