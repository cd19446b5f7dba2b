"""The inventory and the window of the examples."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from forwarder.engine.window import AcceptedFlows, RejectedFlows
from forwarder.inventory import Inventory, read_inventory

FIXTURES = Path(__file__).parents[2] / "fixtures" / "flow_logs"


@pytest.fixture
def inventory() -> Inventory:
    """Two VPCs with an endpoint and a node in one zone, and a second endpoint and node in another."""
    return read_inventory(FIXTURES / "inventory.toml")


def window_of(path: Path) -> Any:
    """The window that a JSON file describes: lists of rows whose missing columns are 0 or empty."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return SimpleNamespace(
        started_s=content["started_s"], ended_s=content["ended_s"], skipped=content["skipped"],
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
def example_window() -> Any:
    """The window of `window.json`."""
    return window_of(FIXTURES / "window.json")
