"""What ec2 serves: reads alone, so far."""

from __future__ import annotations

from forwarder.ec2.operations import OPERATIONS


def test_all_are_reads_and_can_be_tried_dry() -> None:
    assert all(name.startswith("Describe") for name in OPERATIONS)
    assert all("DryRun" in operation.members for operation in OPERATIONS.values())
