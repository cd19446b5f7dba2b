"""What the kernel forgets of a lab is put back; what a person took down on purpose stays down."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pyroute2 import IPRoute

from forwarder.lab.lab import Lab
from forwarder.lab.plan import Plan
from forwarder.lab.repair import repair
from forwarder.network_namespace import run_in

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def plan(privileged: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plan]:
    data = tmp_path_factory.mktemp("lab")
    lab = Lab.up(data, name=f"r{os.getpid()}")
    yield lab.plan
    Lab.down(data)


def network(plan: Plan) -> dict[str, Any]:
    """Every namespace's addresses, routes, rules and permanent neighbours."""
    def body() -> Any:
        with IPRoute() as netlink:
            return (
                sorted((a["index"], a.get_attr("IFA_ADDRESS"), a["prefixlen"]) for a in netlink.get_addr()),
                sorted(str((r.get_attr("RTA_DST"), r["dst_len"], r.get_attr("RTA_TABLE"), r.get_attr("RTA_GATEWAY"), r.get_attr("RTA_OIF"),
                            r.get_attr("RTA_PREFSRC"), r["type"])) for r in netlink.get_routes()),
                sorted(str((r.get_attr("FRA_PRIORITY"), r.get_attr("FRA_TABLE"), r.get_attr("FRA_IIFNAME"), r.get_attr("FRA_SRC")))
                       for r in netlink.get_rules()),
                sorted(str((n.get_attr("NDA_DST"), n.get_attr("NDA_LLADDR"))) for n in netlink.get_neighbours(state=0x80)),
            )

    return {namespace.name: run_in(namespace.name, body) for namespace in plan.namespaces}


def inside(namespace: str, act: Callable[[IPRoute], object]) -> None:
    def body() -> None:
        with IPRoute() as netlink:
            act(netlink)

    run_in(namespace, body)


def device(plan: Plan, namespace: str) -> str:
    return plan.sides(namespace)[0].device


def set_link(plan: Plan, namespace: str, state: str) -> None:
    inside(namespace, lambda netlink: netlink.link("set", index=netlink.link_lookup(ifname=device(plan, namespace))[0], state=state))


def flush(netlink: IPRoute, name: str) -> None:
    netlink.flush_addr(index=netlink.link_lookup(ifname=name)[0])


def test_what_is_whole_is_left_alone(plan: Plan) -> None:
    before = network(plan)
    assert repair(plan) == []
    assert network(plan) == before


def test_an_appliances_link_down_and_up_has_its_routes_again(plan: Plan) -> None:
    netns, before = plan.appliances[0].netns, network(plan)
    set_link(plan, netns, "down")
    assert repair(plan) == [], "a link that was taken down stays down"
    set_link(plan, netns, "up")
    assert network(plan) != before
    put_back = repair(plan)
    assert put_back
    assert all(what.startswith(f"{netns}: route ") for what in put_back)
    assert network(plan) == before
    assert repair(plan) == []


def test_every_namespaces_links_addresses_and_rules_come_back(plan: Plan) -> None:
    before = network(plan)
    for namespace in plan.namespaces:
        for side in plan.sides(namespace.name):
            inside(namespace.name, lambda netlink, name=side.device: flush(netlink, name))
        inside(namespace.name, lambda netlink: netlink.flush_rules(priority=lambda priority: 0 < priority < 32_766))
    for namespace in plan.namespaces:
        set_link(plan, namespace.name, "down")
    for namespace in plan.namespaces:
        set_link(plan, namespace.name, "up")
    assert network(plan) != before
    assert repair(plan)
    assert network(plan) == before
