"""Start-up: it waits for the inventory and its devices, and looks at both anew each time."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from forwarder import start_up
from forwarder.inventory import BadInventory
from forwarder.start_up import NotYet, find, usable_inventory, wait_for
from gatewatch.settings import load
from tests.forwarder.one_endpoint import INVENTORY, toml


def test_start_up_waits_for_what_is_not_there_yet_and_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start_up, "WAIT_S", 0.001)
    looks: list[int] = []

    def look() -> str:
        looks.append(1)
        if len(looks) < 30:
            raise NotYet("it" if len(looks) < 20 else "another thing")
        return "found"

    assert wait_for(look, threading.Event()) == "found"
    said = "".join(capsys.readouterr())
    assert (said.count("waiting_for=it"), said.count("another thing")) == (1, 1)

    def never() -> str:
        raise NotYet("it")

    stopped = threading.Event()
    stopped.set()
    assert wait_for(never, stopped) is None


def test_it_waits_for_the_inventory_and_not_for_devices(tmp_path: Path) -> None:
    settings = load({"data": str(tmp_path), "maglev_slots": "251"}, environment={})
    path = tmp_path / "inventory.toml"
    with pytest.raises(NotYet, match=str(path)):
        find(settings)
    path.write_text(toml(INVENTORY), encoding="utf-8")
    inventory, ports = find(settings)
    assert (inventory, ports.endpoints, ports.nodes) == (INVENTORY, {}, {})
    assert set(ports.missing) == {"gwe", "gwn"}


def test_an_inventory_that_no_plan_can_be_made_of_is_named_with_its_file(tmp_path: Path) -> None:
    settings = load({"data": str(tmp_path), "maglev_slots": "251"}, environment={})
    assert usable_inventory(settings) is None
    first = INVENTORY.endpoints[0]
    twin = replace(first, id="vpce-1-00000000000000001", interface_id="eni-e2", device="gwe2")
    (tmp_path / "inventory.toml").write_text(toml(replace(INVENTORY, endpoints=(first, twin))), encoding="utf-8")
    with pytest.raises(BadInventory, match=r"inventory\.toml cannot be used: .*the same last 16 digits"):
        usable_inventory(settings)
