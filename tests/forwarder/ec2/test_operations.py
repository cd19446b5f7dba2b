"""What ec2 serves."""

from __future__ import annotations

from forwarder.ec2.operations import OPERATIONS


def test_all_can_be_tried_dry() -> None:
    assert all("DryRun" in operation.members for operation in OPERATIONS.values())
