"""The network in the state store: put as a whole, changed by difference, observed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from forwarder.control import network_state
from forwarder.control.network_state import KINDS, observe, put, put_whole, read_network, remove, states
from forwarder.control.store import Store
from forwarder.inventory import Inventory, Subnet, Vpc, read_inventory
from tests.forwarder.one_endpoint import INVENTORY as NETWORK

WHOLE = Path(__file__).parents[2] / "fixtures" / "control" / "network.toml"
ENDPOINT = NETWORK.endpoints[0].id


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    store = Store.open(tmp_path / "state.sqlite")
    with store.writing() as connection:
        yield connection
    store.close()


def test_every_kind_comes_back_as_it_was_put(connection: sqlite3.Connection) -> None:
    whole = read_inventory(WHOLE)
    assert all(getattr(whole, kind) for kind in KINDS), "the example has something of each kind"
    put_whole(connection, whole)
    assert read_network(connection) == whole


def test_what_is_the_same_is_no_difference(connection: sqlite3.Connection) -> None:
    assert put_whole(connection, NETWORK)
    before = network_state.revision(connection)
    assert not put_whole(connection, NETWORK)
    assert network_state.revision(connection) == before


def test_a_difference_names_what_it_is_about(connection: sqlite3.Connection) -> None:
    put_whole(connection, NETWORK)
    [first, second] = NETWORK.subnets
    wanted = replace(NETWORK, subnets=(replace(first, name="endpoints"), Subnet(id="s-3", vpc_id="vpc-c", cidr="10.0.3.0/24", zone="a")))
    difference = put_whole(connection, wanted)
    assert difference.added == (("subnets", "s-3"),)
    assert difference.changed == (("subnets", first.id),)
    assert difference.removed == (("subnets", second.id),)
    assert read_network(connection) == wanted


def test_an_import_leaves_what_the_api_made_and_changed(connection: sqlite3.Connection) -> None:
    made = Vpc(id="vpc-api", cidr="10.8.0.0/16")
    put(connection, "vpcs", made)
    put_whole(connection, NETWORK)
    renamed = replace(NETWORK.vpcs[0], name="renamed")
    put(connection, "vpcs", renamed)
    assert not put_whole(connection, NETWORK), "the inventory says what it said before"
    assert read_network(connection).vpcs == (made, renamed, NETWORK.vpcs[1])
    again = replace(NETWORK.vpcs[0], name="by the file")
    difference = put_whole(connection, replace(NETWORK, vpcs=(again, NETWORK.vpcs[1])))
    assert difference.changed == (("vpcs", again.id),)
    put_whole(connection, Inventory())
    assert read_network(connection).vpcs == (made,)


def test_what_the_api_deleted_stays_away_until_the_inventory_changes_there(connection: sqlite3.Connection) -> None:
    put_whole(connection, NETWORK)
    remove(connection, "vpcs", "vpc-c")
    assert not put_whole(connection, NETWORK)
    assert [vpc.id for vpc in read_network(connection).vpcs] == ["vpc-p"]
    changed = replace(NETWORK, vpcs=(replace(NETWORK.vpcs[0], name="new"), NETWORK.vpcs[1]))
    assert put_whole(connection, changed).added == (("vpcs", "vpc-c"),)
    assert {vpc.id for vpc in read_network(connection).vpcs} == {"vpc-c", "vpc-p"}


def test_an_endpoint_that_the_api_deleted_goes_once_its_device_is_gone(connection: sqlite3.Connection) -> None:
    put_whole(connection, NETWORK)
    remove(connection, "endpoints", ENDPOINT)
    assert states(connection, "endpoints") == {ENDPOINT: "deleting"}
    observe(connection, "endpoints", set())
    assert (states(connection, "endpoints"), read_network(connection).endpoints) == ({}, ())
    assert not put_whole(connection, NETWORK)
    assert read_network(connection).endpoints == ()


def test_an_endpoint_is_pending_then_available_then_deleting_then_gone(connection: sqlite3.Connection) -> None:
    put_whole(connection, NETWORK)
    assert states(connection, "endpoints") == {ENDPOINT: "pending"}
    observe(connection, "endpoints", {ENDPOINT})
    assert states(connection, "endpoints") == {ENDPOINT: "available"}
    observe(connection, "endpoints", set())
    assert states(connection, "endpoints") == {ENDPOINT: "pending"}, "its device went"
    observe(connection, "endpoints", {ENDPOINT})
    put_whole(connection, replace(NETWORK, endpoints=()))
    assert (states(connection, "endpoints"), read_network(connection).endpoints) == ({ENDPOINT: "deleting"}, ())
    observe(connection, "endpoints", {ENDPOINT})
    assert states(connection, "endpoints") == {ENDPOINT: "deleting"}, "still there"
    observe(connection, "endpoints", set())
    assert states(connection, "endpoints") == {}


def test_an_endpoint_that_comes_back_before_it_went_is_wanted_again(connection: sqlite3.Connection) -> None:
    put_whole(connection, NETWORK)
    put_whole(connection, replace(NETWORK, endpoints=()))
    difference = put_whole(connection, NETWORK)
    assert difference.added == (("endpoints", ENDPOINT),)
    assert read_network(connection) == NETWORK


NUMBERS = st.sets(st.integers(0, 9))


@given(st.lists(NUMBERS, max_size=6))
def test_whatever_came_before_the_last_network_is_what_there_is(rounds: list[set[int]]) -> None:
    store = Store.open(Path(":memory:"))
    with store.writing() as connection:
        for numbers in rounds:
            wanted = Inventory(vpcs=tuple(Vpc(id=f"vpc-{number}", cidr=f"10.{number}.0.0/16") for number in sorted(numbers)))
            there = {vpc.id for vpc in read_network(connection).vpcs}
            difference = put_whole(connection, wanted)
            assert {name for _, name in difference.added} == {vpc.id for vpc in wanted.vpcs} - there
            assert set(read_network(connection).vpcs) == set(wanted.vpcs)
    store.close()
