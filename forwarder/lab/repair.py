"""Puts back what the lab owns and the kernel forgot: with a link that goes down go its routes, and they do not come back with it.

A link that is down stays down: that is how people make faults.  What goes with it waits until it is up again.  A device or
a namespace that is gone is not made anew here; `gatewatch lab up` does that, and the reconciler once the network changes.
"""

from __future__ import annotations

from pyroute2 import IPRoute

from forwarder.lab.kernel_entry import entries
from forwarder.lab.plan import Plan
from forwarder.network_namespace import run_in

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
