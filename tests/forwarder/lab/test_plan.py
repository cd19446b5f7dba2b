"""The plan's values survive being written to `lab.json`."""

from __future__ import annotations

import msgspec
import pytest

from forwarder.lab import topology
from forwarder.lab.plan import Plan


def test_a_plan_survives_json() -> None:
    plan = topology.plan("elsewhere")
    assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan


def test_a_plan_from_something_else_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"name": "gw"}', type=Plan)


def test_sides_are_those_of_one_namespace() -> None:
    plan = topology.plan()
    assert [side.device for side in plan.sides("gw-node")] == ["vpce0", "zone-a", "zone-b"]
    assert plan.sides("gw-nowhere") == ()
