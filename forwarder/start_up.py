"""What the forwarder cannot begin without, a network, and the wait for it; devices may come later."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import structlog

from forwarder.control.inventory_import import InventoryImport
from forwarder.control.store import Store
from forwarder.desired import Desired
from forwarder.inventory import BadInventory, Inventory
from forwarder.plan import make_plan
from forwarder.ports import Ports
from gatewatch.settings import Settings

log = structlog.get_logger("forwarder")
Found = TypeVar("Found")

#: How often it looks again, and how often it says what it waits for.
WAIT_S = 0.2
WAIT_LOG_S = 10.0


class NotYet(Exception):
    """What start-up needs is not there; the message says what it waits for."""


def wait_for(look: Callable[[], Found], stop: threading.Event) -> Found | None:
    """Look until nothing is missing (`NotYet`); None when told to stop."""
    log_due_s, said = 0.0, ""
    while True:
        try:
            return look()
        except NotYet as missing:
            now_s = time.monotonic()
            if now_s >= log_due_s or str(missing) != said:
                log_due_s, said = now_s + WAIT_LOG_S, str(missing)
                log.warning("waiting", waiting_for=said)
        if stop.wait(WAIT_S):
            return None


def find(settings: Settings, store: Store, inventory: InventoryImport) -> tuple[Inventory, Ports]:
    """The network, as the store has it once the inventory is imported, and ports at those of its devices that are there.

    `NotYet` when there is no network, `BadInventory` when there is none but an inventory that cannot be used, `SystemExit` without
    the privileges.
    """
    inventory.now()
    network = store.network()
    if not network.vpcs and inventory.problem:
        raise BadInventory(inventory.problem)
    if not network.vpcs:
        raise NotYet(f"a network, such as the inventory {settings.inventory_path}")
    ports = Ports(receive_buffer_bytes=settings.receive_buffer_bytes)
    try:
        ports.follow(network)
    except PermissionError as error:
        raise SystemExit(f"gatewatch: {error}; the forwarder needs CAP_NET_RAW and CAP_NET_ADMIN") from error
    return network, ports


def check_network(settings: Settings, network: Inventory) -> None:
    """`ValueError` for a network that no plan can be made of."""
    make_plan(Desired(revision=-1), network, maglev_slots=settings.maglev_slots)
