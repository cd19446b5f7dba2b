"""The crew follows the lab: appliances that come are started, those that go are stopped, the others are left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from forwarder.inventory import Instance, Inventory
from forwarder.lab import topology
from forwarder.lab.lab import Lab
from forwarder.lab.wiring import wire
from gatewatch.demo.crew import Crew
from gatewatch.settings import Settings


class Told:
    """What a supervisor was told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def start(self, command: Any) -> None:
        self.said.append(("start", command.name))

    def stop(self, name: str) -> None:
        self.said.append(("stop", name))


def lab(network: Inventory, data: Path) -> Lab:
    return Lab(data=data, plan=wire("gw", network, host_mtu_bytes=8500))


def test_only_what_came_or_went_is_touched(tmp_path: Path) -> None:
    told: Any = Told()
    crew, first = Crew(told, Settings(data=str(tmp_path))), topology.network("gw")
    crew.follow(lab(first, tmp_path))
    assert told.said == [("start", f"appliance-{number}") for number in (1, 2, 3)]
    told.said.clear()
    launched = Instance(id="i-0123456789abcdef0", subnet_id=first.instances[-1].subnet_id, interface_id="eni-0123456789abcdef0",
                        address="10.1.2.99", image="appliance")
    kept = tuple(each for each in first.instances if each.name != "appliance-1")
    crew.follow(lab(replace(first, instances=(*kept, launched)), tmp_path))
    crew.follow(lab(replace(first, instances=(*kept, launched)), tmp_path))
    assert told.said == [("stop", "appliance-1"), ("start", launched.id)]
    told.said.clear()
    crew.follow(lab(replace(first, instances=(*kept, replace(launched, state="stopped"))), tmp_path))
    assert told.said == [("stop", launched.id)]
