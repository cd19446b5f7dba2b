"""The inventory and the window of the examples."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from forwarder.capture.window import CapturedWindow
from forwarder.datapath.captured import columns_of
from forwarder.desired import Desired, LoadBalancer
from forwarder.engine.window import AcceptedFlows, RejectedFlows
from forwarder.inventory import Inventory, read_inventory
from forwarder.plan import Plan, make_plan

FIXTURES = Path(__file__).parents[2] / "fixtures" / "flow_logs"


@pytest.fixture
def inventory() -> Inventory:
    """Two VPCs with an endpoint and a node in one zone, and a second endpoint and node in another."""
    return read_inventory(FIXTURES / "inventory.toml")


#: One load balancer, with a node in each zone.
DESIRED = Desired(revision=1, load_balancers=(LoadBalancer(
    arn="arn:lb:loadbalancer/gwy/g/1", name="g", vpc_id="vpc-provider", subnet_ids=("subnet-node", "subnet-node-b"),
),))


@pytest.fixture
def planned(inventory: Inventory) -> Plan:
    """The plan of that load balancer."""
    return make_plan(DESIRED, inventory, maglev_slots=251)


class ExampleWindow(CapturedWindow):
    """A window whose `lists` a test may change until it is read."""

    lists: SimpleNamespace


def window_of(plan: Plan, *, accepted: AcceptedFlows | None = None, rejected: RejectedFlows | None = None, **content: Any) -> ExampleWindow:
    """A closed window of the plan's endpoints."""
    lists = SimpleNamespace(accepted=accepted or AcceptedFlows(), rejected=rejected or RejectedFlows())
    window = ExampleWindow(
        endpoints={each.endpoint_id: each for each in plan.endpoints},
        accepted=lambda: columns_of(lists.accepted), rejected=lambda: columns_of(lists.rejected),
        **{"started_s": 0.0, "ended_s": 60.0, "skipped": {}} | content,
    )
    window.lists = lists
    return window


def window_of_file(plan: Plan, path: Path) -> Any:
    """The window that a JSON file describes: lists of rows whose missing columns are 0 or empty."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return window_of(
        plan, started_s=content["started_s"], ended_s=content["ended_s"], skipped=content["skipped"],
        accepted=_columns(AcceptedFlows(), content["accepted"]),
        rejected=_columns(RejectedFlows(), content["rejected"]),
    )


def _columns(flows: Any, rows: list[dict[str, Any]]) -> Any:
    for row in rows:
        unknown = row.keys() - {item.name for item in fields(flows)}
        assert not unknown, f"no such column: {unknown}"
        for item in fields(flows):
            empty = "" if item.name.startswith(("target", "source_a", "destination_a", "reason")) else 0
            getattr(flows, item.name).append(row.get(item.name, empty))
    return flows


@pytest.fixture
def example_window(planned: Plan) -> Any:
    """The window of `window.json`."""
    return window_of_file(planned, FIXTURES / "window.json")
