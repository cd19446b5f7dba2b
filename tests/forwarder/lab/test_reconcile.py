"""The lab follows its network: nothing else notices, and a pass that is cut short anywhere is finished by the next."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from pyroute2 import IPRoute

from forwarder.inventory import Inventory, Route
from forwarder.lab import build, namespace, topology
from forwarder.lab import plan as plans
from forwarder.lab.build import BuildError
from forwarder.lab.lab import Lab
from forwarder.lab.privilege import BadEnvironment
from forwarder.lab.reconcile import reconcile
from forwarder.network_namespace import NETNS_FOLDER, run_in
from tests.forwarder.lab.changed_network import with_another_endpoint

pytestmark = pytest.mark.network


class Killed(BaseException):
    """The process ends here."""


class KillAt:
    """Raises before the step of that number; `steps` are those begun."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.steps: list[str] = []

    def __call__(self, what: str) -> None:
        if len(self.steps) == self.number:
            raise Killed
        self.steps.append(what)


@pytest.fixture(scope="module")
def lab(privileged: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    data = tmp_path_factory.mktemp("lab")
    yield Lab.up(data, name=f"q{os.getpid()}")
    Lab.down(data)


def kernel(name: str) -> dict[str, Any]:
    """What the kernel has in every namespace of the lab, without the numbers of devices."""
    def body() -> Any:
        with IPRoute() as netlink:
            names = {link["index"]: link.get_attr("IFLA_IFNAME") for link in netlink.get_links()}
            return {
                "links": sorted((link.get_attr("IFLA_IFNAME"), link.get_attr("IFLA_ADDRESS"), link.get_attr("IFLA_MTU"), link["flags"] & 1)
                                for link in netlink.get_links()),
                "addresses": sorted((names[one["index"]], one.get_attr("IFA_ADDRESS")) for one in netlink.get_addr()),
                "routes": sorted(str((one.get_attr("RTA_DST"), one["dst_len"], one.get_attr("RTA_TABLE"), one.get_attr("RTA_GATEWAY"),
                                      names.get(one.get_attr("RTA_OIF")), one["type"])) for one in netlink.get_routes()),
                "rules": sorted(str((one.get_attr("FRA_PRIORITY"), one.get_attr("FRA_TABLE"), one.get_attr("FRA_IIFNAME"),
                                     one.get_attr("FRA_SRC"))) for one in netlink.get_rules()),
                "neighbours": sorted(str((one.get_attr("NDA_DST"), one.get_attr("NDA_LLADDR")))
                                     for one in netlink.get_neighbours(state=0x80)),
            }

    return {one.name: run_in(one.name, body) for one in sorted(NETNS_FOLDER.iterdir()) if one.name.startswith(f"{name}-")}


def indexes(name: str) -> dict[str, int]:
    """The numbers of a lab's devices: another number is another device."""
    def body() -> dict[str, int]:
        with IPRoute() as netlink:
            return {link.get_attr("IFLA_IFNAME"): link["index"] for link in netlink.get_links()}

    return {f"{one.name} {device}": index for one in NETNS_FOLDER.iterdir() if one.name.startswith(f"{name}-")
            for device, index in run_in(one.name, body).items()}


def networks(lab: Lab) -> tuple[Inventory, Inventory]:
    first = topology.network(lab.name)
    return first, with_another_endpoint(lab.name, first)


def test_what_comes_and_goes_leaves_the_rest_as_it_was(lab: Lab) -> None:
    first, more = networks(lab)
    before, devices = kernel(lab.name), indexes(lab.name)
    steps: list[str] = []
    grown = lab.follow(more, before_step=steps.append)
    added = kernel(lab.name)
    assert f"{lab.name}-server-new: the namespace" in steps
    assert {name for name in added if name not in before} == {f"{lab.name}-server-new"}
    assert not [step for step in steps if "the end of" in step]
    assert devices.items() <= indexes(lab.name).items()
    grown.follow(first)
    assert kernel(lab.name) == before
    assert indexes(lab.name) == devices


def test_following_what_is_there_does_nothing(lab: Lab) -> None:
    steps: list[str] = []
    lab.follow(topology.network(lab.name), before_step=steps.append)
    assert steps == []


def test_whenever_it_is_killed_the_next_pass_ends_in_what_is_wanted(lab: Lab) -> None:
    """Every step of adding, then every step of removing, is one before which the process ends."""
    first, more = networks(lab)
    before = kernel(lab.name)
    lab.follow(more)
    after = kernel(lab.name)
    lab.follow(first)
    for start, goal, wanted in ((first, more, after), (more, first, before)):
        number, ended = 0, False
        while not ended:
            lab = lab.follow(start)
            kill = KillAt(number)
            try:
                lab.follow(goal, before_step=kill)
                ended = True
            except Killed:
                lab = Lab.read(lab.data).follow(goal)
            assert kernel(lab.name) == wanted, f"killed before step {number}, after {kill.steps[-1:]}"
            number += 1
        assert number > 15, "there is much to be killed in"
    assert lab.follow(first).plan == topology.plan(lab.name)


def test_a_change_of_mind_after_a_kill_leaves_nothing_over(lab: Lab) -> None:
    first, more = networks(lab)
    before = kernel(lab.name)
    for number in (3, 9, 15, 21):
        with pytest.raises(Killed):
            lab.follow(more, before_step=KillAt(number))
        Lab.read(lab.data).follow(first)
        assert kernel(lab.name) == before


def test_down_finds_what_a_kill_left(privileged: None, tmp_path: Path) -> None:
    lab = Lab.up(tmp_path, name=f"k{os.getpid()}")
    _, more = networks(lab)
    with pytest.raises(Killed):
        lab.follow(more, before_step=KillAt(20))
    Lab.down(tmp_path)
    assert kernel(lab.name) == {}


def test_a_route_that_leads_elsewhere_now_is_replaced_and_never_missing(lab: Lab) -> None:
    first = topology.network(lab.name)
    edge, *others = first.route_tables
    closed = replace(edge, routes=(Route(destination=edge.routes[0].destination, target="vpce-00000000000000000"),))
    before, steps = kernel(lab.name), []
    changed = lab.follow(replace(first, route_tables=(closed, *others)), before_step=steps.append)
    number = changed.plan.route_tables[0].table
    assert [step.split(": ")[1] for step in steps] == [f"the route {edge.routes[0].destination} in table {number}"]
    assert any("10.0.2.0" in route and ", 6)" in route for route in kernel(lab.name)[f"{lab.name}-consumer"]["routes"]), "a blackhole"
    changed.follow(first)
    assert kernel(lab.name) == before


def test_what_a_killed_pass_wanted_is_not_taken_for_there(lab: Lab) -> None:
    first, more = networks(lab)
    edge, *others = first.route_tables
    closed = replace(edge, routes=(Route(destination=edge.routes[0].destination, target="vpce-00000000000000000"),))
    wanted = replace(more, route_tables=(closed, *others))
    lab.follow(wanted)
    after = kernel(lab.name)
    lab.follow(first)
    with pytest.raises(Killed):
        lab.follow(replace(first, route_tables=(closed, *others)), before_step=KillAt(0))
    Lab.read(lab.data).follow(wanted)
    assert kernel(lab.name) == after
    lab.follow(first)


def test_half_a_namespace_and_half_a_link_are_made_whole(lab: Lab) -> None:
    first, more = networks(lab)
    lab.follow(more)
    wanted = kernel(lab.name)
    lab.follow(first)
    (NETNS_FOLDER / f"{lab.name}-server-new").touch()  # a crash between the file and the mount
    lab.follow(more)
    assert kernel(lab.name) == wanted
    lab.follow(first)


def test_a_part_the_kernel_refuses_is_named(privileged: None) -> None:
    plan = topology.plan(f"t{os.getpid()}-bad")
    first = plan.namespaces[0].name
    unroutable = plans.Route(namespace=first, destination="10.9.0.0/16", device="client-1", mtu_bytes=-1, gateway="999.1.1.1")
    namespace.prepare_folder()
    try:
        with pytest.raises(BuildError, match=f"{first}: cannot make addresses and routes"):
            reconcile(msgspec.structs.replace(plan, routes=(*plan.routes, unroutable)))
    finally:
        assert build.remove(tuple(entry.name for entry in plan.namespaces)) == len(plan.namespaces)


def test_a_network_that_cannot_be_wired_is_refused_and_the_lab_stays(lab: Lab) -> None:
    _, more = networks(lab)
    before = kernel(lab.name)
    twin = replace(more.instances[-1], id="i-2", interface_id="eni-2", address="10.0.4.12", name="vpce1")
    with pytest.raises(BadEnvironment, match="two of the network's things have one name"):
        lab.follow(replace(more, instances=(*more.instances, twin)))
    assert kernel(lab.name) == before
    assert Lab.read(lab.data).plan == topology.plan(lab.name)
