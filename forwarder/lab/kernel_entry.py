"""What the kernel is told of a namespace's network beside its devices: addresses, neighbours, routes, rules.

Each entry can be added again: one that is there is left as it is; and removed again: one that is gone is gone.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from forwarder.lab.plan import Plan, Route, RouteType

#: How the kernel says that something is not there: route, device, neighbour or rule, address.
_GONE: Final = (errno.ESRCH, errno.ENODEV, errno.ENOENT, errno.EADDRNOTAVAIL)


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelEntry:
    """One entry: in words, the device it goes with (empty: none), and how netlink is asked for it."""

    what: str
    device: str
    call: Literal["addr", "neigh", "route", "rule"]
    arguments: Mapping[str, Any]

    def add(self, netlink: IPRoute) -> bool:
        """Add it; False when it was there.  Raises `NetlinkError`."""
        try:
            getattr(netlink, self.call)("add", **self.arguments)
        except NetlinkError as error:
            if error.code == errno.EEXIST:
                return False
            raise
        return True

    def replace(self, netlink: IPRoute) -> None:
        """Put it in the place of what is there with another content; only routes and neighbours can have one."""
        if self.call in ("route", "neigh"):
            getattr(netlink, self.call)("replace", **self.arguments)

    def remove(self, netlink: IPRoute) -> None:
        """Remove it, if it is there."""
        try:
            getattr(netlink, self.call)("del", **self.arguments)
        except NetlinkError as error:
            if error.code not in _GONE:
                raise

    @property
    def told(self) -> str:
        """All that is said of it, without the numbers of devices, which are the kernel's."""
        said = {name: value for name, value in self.arguments.items() if name not in ("index", "ifindex", "oif")}
        return f"{self.call} {self.device} {sorted(said.items())}"

    @property
    def place(self) -> str:
        """What of it there is one of: a destination of a route table, a neighbour's address."""
        keys = {"route": ("table", "dst"), "neigh": ("dst",)}.get(self.call)
        return f"{self.call} {[self.arguments[key] for key in keys]}" if keys else self.told


def entries(plan: Plan, namespace: str, indexes: Mapping[str, int]) -> Iterator[KernelEntry]:
    """The entries of a namespace in the order in which they can be made; `indexes` are its devices' by name, and entries of
    other devices are left out."""
    for side in plan.sides(namespace):
        for address in side.addresses if side.device in indexes else ():
            host, length = address.split("/")
            yield KernelEntry(what=f"address {address} of {side.device}", device=side.device, call="addr", arguments={
                "index": indexes[side.device], "address": host, "prefixlen": int(length)})
    for entry in plan.neighbours:
        if entry.namespace == namespace and entry.device in indexes:
            yield KernelEntry(what=f"neighbour {entry.address} of {entry.device}", device=entry.device, call="neigh", arguments={
                "dst": entry.address, "lladdr": entry.mac, "ifindex": indexes[entry.device], "state": "permanent"})
    for route in plan.routes:
        if route.namespace == namespace and (not route.device or route.device in indexes):
            yield KernelEntry(what=f"route {route.destination} in table {route.table}", device=route.device, call="route",
                              arguments=_route(route, indexes))
    for rule in plan.rules:
        if rule.namespace == namespace:
            selector = {"iifname": rule.ingress_device} if rule.ingress_device else {"src": rule.source, "src_len": 32}
            yield KernelEntry(what=f"rule {rule.priority}", device="", call="rule", arguments={
                "table": rule.table, "priority": rule.priority, **selector})


def _route(route: Route, indexes: Mapping[str, int]) -> dict[str, Any]:
    arguments: dict[str, Any] = {"dst": route.destination, "table": route.table}
    if route.type is not RouteType.UNICAST:
        return arguments | {"type": route.type.value}
    arguments["oif"] = indexes[route.device]
    if route.gateway:
        arguments |= {"gateway": route.gateway, "flags": ["onlink"]}
    else:
        arguments["scope"] = "link"
    if route.mtu_bytes:
        arguments["metrics"] = {"mtu": route.mtu_bytes}
    return arguments
