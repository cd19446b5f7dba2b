"""What the forwarder cannot begin without, an inventory, and the wait for it; devices may come later."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import structlog

from forwarder.desired import Desired
from forwarder.engine.plan import make_plan
from forwarder.inventory import BadInventory, Inventory, read_inventory
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


def find(settings: Settings) -> tuple[Inventory, Ports]:
    """The inventory, and ports at those of its devices that are there.

    `NotYet` when there is no file, `BadInventory` for one that cannot be used, `SystemExit` without the privileges.
    """
    inventory = usable_inventory(settings)
    if inventory is None:
        raise NotYet(f"the inventory {settings.inventory_path}")
    ports = Ports(receive_buffer_bytes=settings.receive_buffer_bytes)
    try:
        ports.follow(inventory)
    except PermissionError as error:
        raise SystemExit(f"gatewatch: {error}; the forwarder needs CAP_NET_RAW and CAP_NET_ADMIN") from error
    return inventory, ports


def usable_inventory(settings: Settings) -> Inventory | None:
    """The inventory; None when the file is not there yet.  One that is there and cannot be used is `BadInventory`."""
    path = settings.inventory_path
    if not path.exists():
        return None
    inventory = read_inventory(path)
    try:
        make_plan(Desired(revision=-1), inventory, maglev_slots=settings.maglev_slots)
    except ValueError as error:
        raise BadInventory(f"the inventory {path} cannot be used: {error}") from error
    return inventory
