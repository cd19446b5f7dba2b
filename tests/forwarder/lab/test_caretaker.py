"""The caretaker looks now and then: at the kernel, and at the network in the store."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from pyroute2 import IPRoute

from forwarder.control.network_state import put_whole
from forwarder.control.store import Store, counting_changes
from forwarder.inventory import Inventory
from forwarder.lab import namespace as named
from forwarder.lab import topology
from forwarder.lab.caretaker import FOLLOW_S, REPAIR_S, Caretaker
from forwarder.lab.lab import Lab
from forwarder.network_namespace import run_in
from tests.forwarder.lab.changed_network import with_another_endpoint

pytestmark = pytest.mark.network


class Kept:
    """A lab, its store, and a caretaker whose clock a test sets."""

    def __init__(self, lab: Lab) -> None:
        self.now_s = 0.0
        self.store = Store.open(lab.data / "state.sqlite")
        self.caretaker = Caretaker(lab, self.store, clock=lambda: self.now_s)

    def put(self, network: Inventory) -> None:
        with self.store.writing() as connection, counting_changes(connection):
            put_whole(connection, network)

    def look_at(self, now_s: float) -> list[str]:
        self.now_s = now_s
        return self.caretaker.look()


@pytest.fixture
def kept(privileged: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    data = tmp_path_factory.mktemp("lab")
    made = Kept(Lab.up(data, name=f"c{os.getpid()}"))
    yield made
    made.store.close()
    Lab.down(data)


def blink(netns: str) -> None:
    """A link goes down and up: its routes go."""
    def body() -> None:
        with IPRoute() as netlink:
            for state in ("down", "up"):
                netlink.link("set", index=netlink.link_lookup(ifname="eth0")[0], state=state)

    run_in(netns, body)


def test_what_the_kernel_forgot_is_put_back_now_and_then(kept: Kept) -> None:
    blink(kept.caretaker.lab.servers[0].netns)
    assert kept.look_at(0.1) == []
    [said] = kept.look_at(REPAIR_S)
    assert said.startswith(f"put back {kept.caretaker.lab.servers[0].netns}: route 0.0.0.0/0")
    assert kept.look_at(REPAIR_S) == []


def test_the_lab_follows_the_network_in_the_store(kept: Kept) -> None:
    lab = kept.caretaker.lab
    assert kept.look_at(FOLLOW_S) == [], "the store has none yet"
    kept.put(topology.network(lab.name))
    assert kept.look_at(2 * FOLLOW_S) == [], "it is as the lab is"
    kept.put(with_another_endpoint(lab.name, topology.network(lab.name)))
    [said] = kept.look_at(3 * FOLLOW_S)
    assert said.startswith("the lab followed the network, in ")
    assert named.exists(f"{lab.name}-server-new")
    assert len(kept.caretaker.lab.inventory.endpoints) == 2
    kept.put(topology.network(lab.name))
    assert kept.look_at(4 * FOLLOW_S)
    assert not named.exists(f"{lab.name}-server-new")


def test_the_network_of_an_earlier_lab_is_not_followed(kept: Kept) -> None:
    lab = kept.caretaker.lab
    kept.put(topology.network("earlier"))
    assert kept.look_at(FOLLOW_S) == []
    assert kept.caretaker.lab == lab
    kept.put(with_another_endpoint(lab.name, topology.network(lab.name)))
    assert kept.look_at(2 * FOLLOW_S)
    assert named.exists(f"{lab.name}-server-new")
    kept.put(Inventory())
    assert kept.look_at(3 * FOLLOW_S), "everything was taken out of it"
    assert not named.exists(f"{lab.name}-server-new")


def test_a_namespace_that_is_gone_is_no_reason_to_end_and_is_made_when_the_network_changes(kept: Kept) -> None:
    lab = kept.caretaker.lab
    named.delete(lab.clients[0].netns)
    assert kept.look_at(REPAIR_S) == []
    kept.put(with_another_endpoint(lab.name, topology.network(lab.name)))
    assert kept.look_at(2 * REPAIR_S)
    assert named.exists(lab.clients[0].netns)
