"""Makes the namespaces be what a plan says: the reconciler of the lab.

    reconcile(plan, before=(former,))

`before` are the plans of which something may be there.  What only they have goes, what is wanted and missing is made, and the rest
is not touched.  Every step may be done again, so a pass that was cut short anywhere is finished by the next, if that is told the same
`before`: the caller writes it down first (`lab.py`).  Whatever the kernel refuses raises `BuildError`, which says where and what.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from pyroute2 import IPRoute

from forwarder.lab import build, namespace
from forwarder.lab.build import attempt
from forwarder.lab.kernel_entry import KernelEntry, entries
from forwarder.lab.plan import Link, Plan
from forwarder.network_namespace import run_in

#: Told of each step, in words, before it is done.
Before = Callable[[str], object]


def reconcile(plan: Plan, *, before: Sequence[Plan] = (), before_step: Before = lambda what: None) -> None:
    """Do what is missing."""
    for former in before:
        _let_go(former, plan, before_step)
    for entry in plan.namespaces:
        if not build.is_namespace(entry.name):
            before_step(f"{entry.name}: the namespace")
            attempt(entry.name, "the namespace", partial(build.make_namespace, entry))
    for link in plan.links:
        if not build.is_linked(link):
            _link(link, before_step)
    for entry in plan.namespaces:
        # A plan that was not finished may not have what it says; what all had was there from the first.
        known = set.intersection(*(set(_told(former, entry.name)) for former in before)) if before else set()
        attempt(entry.name, "addresses and routes", partial(_put, plan, entry.name, known, before_step))


def _link(link: Link, before_step: Before) -> None:
    """In two steps: a link that was made and not set up is known by that."""
    where, what = link.one.namespace, f"the link {link.one.device}"
    before_step(f"{where}: {what}")
    attempt(where, what, lambda: build.make_link(link))
    before_step(f"{where}: {what}, set up")
    attempt(where, what, lambda: build.set_up_link(link))


def _let_go(former: Plan, plan: Plan, before_step: Before) -> None:
    """What is wanted no more, inside out."""
    kept = {entry.name for entry in plan.namespaces}
    there = [entry for entry in former.namespaces if build.is_namespace(entry.name)]
    for entry in there:
        if entry.name in kept:
            attempt(entry.name, "the end of routes", partial(_drop, former, plan, entry.name, before_step))
    standing = {entry.name for entry in there} & kept
    for link in set(former.links) - set(plan.links):
        if link.one.namespace in standing:
            before_step(f"{link.one.namespace}: the end of the link {link.one.device}")
            attempt(link.one.namespace, f"the end of the link {link.one.device}", partial(build.remove_link, link))
    for entry in former.namespaces:
        if entry.name not in kept and namespace.exists(entry.name):
            before_step(f"{entry.name}: the end of the namespace")
            attempt(entry.name, "the end of the namespace", partial(build.remove, (entry.name,)))


def _drop(former: Plan, plan: Plan, name: str, before_step: Before) -> None:
    """Entries that are wanted no more; one that is wanted with another content is replaced when it comes, without a gap."""
    wanted = _told(plan, name)
    places = {entry.place for entry in wanted.values()}

    def body() -> None:
        with IPRoute() as netlink:
            for entry in reversed(list(entries(former, name, _indexes(netlink)))):
                if entry.told not in wanted and entry.place not in places:
                    before_step(f"{name}: the end of the {entry.what}")
                    entry.remove(netlink)

    run_in(name, body)


def _put(plan: Plan, name: str, known: set[str], before_step: Before) -> None:
    """Every entry, since the kernel may have forgotten some; `known` are those that nobody else than it can have taken away."""
    def body() -> None:
        with IPRoute() as netlink:
            for entry in entries(plan, name, _indexes(netlink)):
                if entry.told not in known:
                    before_step(f"{name}: the {entry.what}")
                if not entry.add(netlink) and entry.told not in known:
                    entry.replace(netlink)

    run_in(name, body)


def _told(plan: Plan, name: str) -> dict[str, KernelEntry]:
    return {entry.told: entry for entry in entries(plan, name, {side.device: 0 for side in plan.sides(name)})}


def _indexes(netlink: IPRoute) -> dict[str, int]:
    return {link.get_attr("IFLA_IFNAME"): link["index"] for link in netlink.get_links()}
