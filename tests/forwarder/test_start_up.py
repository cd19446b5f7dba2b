"""Start-up: it waits for the inventory and its devices, and looks at both anew each time."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from forwarder import start_up
from forwarder.control.inventory_import import InventoryImport
from forwarder.control.store import Store
from forwarder.inventory import BadInventory, Inventory
from forwarder.start_up import NotYet, check_network, find, wait_for
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


def test_it_waits_for_a_network_and_not_for_devices(tmp_path: Path) -> None:
    settings = load({"data": str(tmp_path), "maglev_slots": "251"}, environment={})
    store = Store.open(tmp_path / "state.sqlite")
    file = InventoryImport(store, settings, clock_s=lambda: 1.0, usable=lambda network: None)
    path = tmp_path / "inventory.toml"
    with pytest.raises(NotYet, match=str(path)):
        find(settings, store, file)
    path.write_text("zones = 7", encoding="utf-8")
    with pytest.raises(BadInventory, match=str(path)):
        find(settings, store, file)
    path.write_text(toml(INVENTORY), encoding="utf-8")
    network, ports = find(settings, store, file)
    assert (network, ports.endpoints, ports.nodes) == (INVENTORY, {}, {})
    assert set(ports.missing) == {"gwe", "gwn"}
    path.write_text("zones = 7", encoding="utf-8")
    assert find(settings, store, file)[0] == INVENTORY, "there is a network, though the file is wrong now"
    store.close()


def test_a_network_that_no_plan_can_be_made_of_is_refused(tmp_path: Path) -> None:
    settings = load({"data": str(tmp_path), "maglev_slots": "251"}, environment={})
    first = INVENTORY.endpoints[0]
    # Another prefix, so another id, but the same 16 digits, by which appliances tell endpoints apart.
    twin = replace(first, id="vpce-1-00000000000000001", interface_id="eni-e2", device="gwe2")
    check_network(settings, Inventory())
    with pytest.raises(ValueError, match="the same last 16 digits"):
        check_network(settings, replace(INVENTORY, endpoints=(first, twin)))
