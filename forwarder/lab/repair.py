"""Puts back what the lab owns and the kernel forgot: with a link that goes down go its routes, and they do not come back with it.

A link that is down stays down: that is how people make faults.  What goes with it waits until it is up again.  A device or
a namespace that is gone is not made anew; `gatewatch lab up` does that.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from forwarder.datapath.network_namespace import run_in
from forwarder.lab.kernel_entry import entries
from forwarder.lab.plan import Plan
from gatewatch.repeated_error import RepeatedError

log = structlog.get_logger("lab")

#: Time between two looks.
REPAIR_S = 5.0
_IFF_UP = 1


def repair(plan: Plan) -> list[str]:
    """Add what is missing where its device is up; what was put back, as `NAMESPACE: ROUTE`.

    Doing it again does nothing.  `OSError` and `NetlinkError` when the kernel refuses, or a namespace is gone.
    """
    return [f"{namespace.name}: {what}" for namespace in plan.namespaces for what in _repair_namespace(plan, namespace.name)]


def _repair_namespace(plan: Plan, namespace: str) -> list[str]:
    put_back: list[str] = []

    def body() -> None:
        with IPRoute() as netlink:
            up = {link.get_attr("IFLA_IFNAME"): link["index"] for link in netlink.get_links() if link["flags"] & _IFF_UP}
            put_back.extend(entry.what for entry in entries(plan, namespace, up) if entry.add(netlink))

    run_in(namespace, body)
    return put_back


class Caretaker:
    """Repairs a lab now and then, for whoever runs one: call `look` often."""

    def __init__(self, plan: Plan, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds that only run forward."""
        self._plan = plan
        self._clock = clock
        self._due_s = clock() + REPAIR_S
        self._repeated = RepeatedError(log)

    def look(self) -> list[str]:
        """What was put back just now; nothing before the next look is due.  What cannot be is logged, and tried again."""
        now_s = self._clock()
        if now_s < self._due_s:
            return []
        self._due_s = now_s + REPAIR_S
        try:
            put_back = repair(self._plan)
        except (OSError, NetlinkError):  # the runner's loop goes on: a namespace that is gone is not for us to make
            self._repeated.exception("the lab's network cannot be looked after")
            return []
        for what in put_back:
            log.warning("put back", what=what)
        return put_back
