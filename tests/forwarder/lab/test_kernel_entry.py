"""The entries of a namespace: complete, in an order in which they can be made, and only those of devices that are there."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from pyroute2.netlink.exceptions import NetlinkError

from forwarder.lab import topology
from forwarder.lab.kernel_entry import KernelEntry, entries

PLAN = topology.plan("x")
ROUTER = next(namespace.name for namespace in PLAN.namespaces if any(rule.namespace == namespace.name for rule in PLAN.rules))
INDEXES = {side.device: index for index, side in enumerate(PLAN.sides(ROUTER), 2)}


def test_every_part_of_the_plan_is_an_entry() -> None:
    found = list(entries(PLAN, ROUTER, INDEXES))
    expected = {
        "addr": sum(len(side.addresses) for side in PLAN.sides(ROUTER)),
        "neigh": sum(one.namespace == ROUTER for one in PLAN.neighbours),
        "route": sum(one.namespace == ROUTER for one in PLAN.routes),
        "rule": sum(one.namespace == ROUTER for one in PLAN.rules),
    }
    assert {call: sum(entry.call == call for entry in found) for call in expected} == expected
    # A route's source is an address, so addresses come first.
    assert [entry.call for entry in found] == sorted((entry.call for entry in found), key=list(expected).index)


def test_entries_of_a_device_that_is_down_are_left_out() -> None:
    device = next(iter(INDEXES))
    found = list(entries(PLAN, ROUTER, {name: index for name, index in INDEXES.items() if name != device}))
    assert found
    assert all(entry.device != device for entry in found)


class Netlink:
    def __init__(self, code: int) -> None:
        self.code = code

    def route(self, command: str, **arguments: Any) -> None:
        if self.code:
            raise NetlinkError(self.code)


@pytest.mark.parametrize(("code", "added"), [(0, True), (errno.EEXIST, False)])
def test_one_that_is_there_is_no_error(code: int, added: bool) -> None:
    entry = KernelEntry(what="route", device="", call="route", arguments={"dst": "10.0.0.0/8"})
    assert entry.add(Netlink(code)) is added
    with pytest.raises(NetlinkError):
        entry.add(Netlink(errno.EPERM))
