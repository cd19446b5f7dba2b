"""What is not there is named as AWS names it, and a dry run changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.forwarder.conftest import Refused


@pytest.mark.parametrize(("operation", "parameters", "code"), [
    ("CreateRouteTable", {"VpcId": "vpc-0"}, "InvalidVpcID.NotFound"),
    ("DeleteRouteTable", {"RouteTableId": "rtb-0"}, "InvalidRouteTableID.NotFound"),
])
def test_what_is_not_there(lab_api: Any, operation: str, parameters: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        lab_api.call("ec2", operation, **parameters)
    assert refused.value.code == code


def test_a_dry_run_says_that_it_would_have_gone_well_and_changes_nothing(lab_api: Any) -> None:
    vpc = lab_api.inventory.vpcs[0].id
    revision = lab_api.store.revision()
    with pytest.raises(Refused) as refused:
        lab_api.call("ec2", "CreateRouteTable", VpcId=vpc, DryRun=True)
    assert (refused.value.code, refused.value.status) == ("DryRunOperation", 412)
    assert lab_api.store.revision() == revision
