"""The network in the state store: a row a thing, with what shall be and what was observed of it.

The API writes a thing at a time (`put`, `remove`), an import says all that an inventory has (`put_whole`): that is held against what the
inventory said before, so what the API changed since stays as long as the inventory does not change there.  Kinds of `OBSERVED` are
`pending` until somebody has found them there (`observe`), and stay as `deleting` until they are found gone.  All functions work
in the caller's transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from forwarder.inventory import (
    Attachment,
    Endpoint,
    EndpointService,
    Instance,
    InternetGateway,
    Inventory,
    Node,
    RouteTable,
    Subnet,
    Vpc,
    Zone,
)

Thing = Zone | Vpc | Subnet | InternetGateway | Instance | Node | EndpointService | Endpoint | RouteTable

#: The struct of each kind; a kind is the field of `Inventory` that holds its things.
KINDS: Final[dict[str, type[Thing]]] = {
    "zones": Zone, "vpcs": Vpc, "subnets": Subnet, "internet_gateways": InternetGateway, "instances": Instance, "nodes": Node,
    "endpoint_services": EndpointService, "endpoints": Endpoint, "route_tables": RouteTable,
}
#: What the forwarder finds there or not.  The rest is what it is said to be.
OBSERVED: Final = ("nodes", "endpoints")
PENDING, AVAILABLE, DELETING, DELETED = "pending", "available", "deleting", "deleted"

#: A thing's kind and id.
Name = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What an import changed, by kind and id."""

    added: tuple[Name, ...] = ()
    changed: tuple[Name, ...] = ()
    removed: tuple[Name, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def revision(connection: sqlite3.Connection) -> int:
    """The number of changes of what shall be."""
    value: int = connection.execute("SELECT value FROM counters WHERE name = 'network_revision'").fetchone()[0]
    return value


def read_network(connection: sqlite3.Connection) -> Inventory:
    """What shall be, in order of creation."""
    things: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    rows = connection.execute(
        "SELECT kind, body FROM network WHERE state NOT IN (?, ?) ORDER BY created_order", (DELETING, DELETED)
    )
    for row in rows:
        things[row["kind"]].append(msgspec.json.decode(row["body"], type=KINDS[row["kind"]]))
    return Inventory(**{kind: tuple(found) for kind, found in things.items()})


def states(connection: sqlite3.Connection, kind: str) -> dict[str, str]:
    """What was observed of the things of a kind, by id."""
    rows = connection.execute("SELECT id, state FROM network WHERE kind = ? AND state != ?", (kind, DELETED))
    return {row["id"]: row["state"] for row in rows}


def put(connection: sqlite3.Connection, kind: str, thing: Thing) -> None:
    """Make a thing, or change the one of its id."""
    _put(connection, (kind, thing_id(thing)), msgspec.json.encode(thing).decode())
    _changed(connection)


def remove(connection: sqlite3.Connection, kind: str, thing: str) -> None:
    """A thing shall not be any more."""
    _remove(connection, (kind, thing))
    _changed(connection)


def attach(connection: sqlite3.Connection, thing: str, place: Attachment) -> bool:
    """The packets of an endpoint, or of a node told by its interface, come and go there from now on; False when there is no such thing
    (any more)."""
    network = read_network(connection)
    for endpoint in network.endpoints:
        if endpoint.id == thing:
            put(connection, "endpoints", replace(endpoint, device=place.device, netns=place.netns, router_mac=place.router_mac))
            return True
    for node in network.nodes:
        if node.interface_id == thing:
            put(connection, "nodes", replace(node, device=place.device, netns=place.netns))
            return True
    return False


def put_whole(connection: sqlite3.Connection, wanted: Inventory) -> Difference:
    """What an inventory says now: what it says otherwise than before is made so, what it says no more goes."""
    rows = {
        (row["kind"], row["id"]): row
        for row in connection.execute("SELECT kind, id, imported, state FROM network").fetchall()
    }
    bodies = dict(_bodies(wanted))
    news = [name for name, body in bodies.items() if name not in rows or rows[name]["imported"] != body]
    there = {name for name in news if name in rows and rows[name]["state"] not in (DELETING, DELETED)}
    difference = Difference(
        added=tuple(name for name in news if name not in there), changed=tuple(name for name in news if name in there),
        removed=tuple(name for name, row in rows.items() if row["imported"] and name not in bodies),
    )
    for name in news:
        _put(connection, name, bodies[name])
        connection.execute("UPDATE network SET imported = body WHERE kind = ? AND id = ?", name)
    for name in difference.removed:
        connection.execute("UPDATE network SET imported = '' WHERE kind = ? AND id = ?", name)
        _remove(connection, name)
    if difference:
        _changed(connection)
    return difference


def observe(connection: sqlite3.Connection, kind: str, present: Collection[str]) -> None:
    """Which things of a kind are there: the others are `pending`, and those that shall not be, forgotten."""
    for thing, state in states(connection, kind).items():
        if state == DELETING and thing not in present:
            _forget(connection, (kind, thing))
        elif state != DELETING:
            seen = AVAILABLE if thing in present else PENDING
            if seen != state:
                connection.execute("UPDATE network SET state = ? WHERE kind = ? AND id = ?", (seen, kind, thing))


def thing_id(thing: Thing) -> str:
    """What a thing is told by: its id, of a zone its name, of a node its interface."""
    if isinstance(thing, Zone):
        return thing.name
    return thing.interface_id if isinstance(thing, Node) else thing.id


def _bodies(inventory: Inventory) -> Iterator[tuple[Name, str]]:
    for kind in KINDS:
        for thing in getattr(inventory, kind):
            yield (kind, thing_id(thing)), msgspec.json.encode(thing).decode()


def _put(connection: sqlite3.Connection, name: Name, body: str) -> None:
    state = PENDING if name[0] in OBSERVED else AVAILABLE
    connection.execute(
        "INSERT INTO network (kind, id, body, imported, state) VALUES (?1, ?2, ?3, '', ?4)"
        " ON CONFLICT (kind, id) DO UPDATE SET body = ?3, state = ?4",
        (*name, body, state),
    )


def _remove(connection: sqlite3.Connection, name: Name) -> None:
    if name[0] in OBSERVED:
        connection.execute("UPDATE network SET state = ? WHERE kind = ? AND id = ?", (DELETING, *name))
    else:
        _forget(connection, name)


def _forget(connection: sqlite3.Connection, name: Name) -> None:
    """What the inventory still has is remembered as deleted, so that its next import does not bring it back."""
    connection.execute("DELETE FROM network WHERE kind = ? AND id = ? AND imported = ''", name)
    connection.execute("UPDATE network SET state = ? WHERE kind = ? AND id = ?", (DELETED, *name))


def _changed(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE counters SET value = value + 1 WHERE name = 'network_revision'")
