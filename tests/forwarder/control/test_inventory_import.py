"""The inventory file becomes the network by its difference; a bad one changes nothing, and nobody sees half of one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from forwarder.control.inventory_import import IDS_MAX, InventoryImport, import_event
from forwarder.control.network_state import Difference, put
from forwarder.control.store import Store
from forwarder.inventory import Endpoint, Inventory
from gatewatch.settings import Settings
from tests.forwarder.one_endpoint import INVENTORY, toml

GOOD = Path(__file__).parents[2] / "fixtures" / "control" / "inventory.toml"


class Import:
    """A file, a store and an import of the one into the other."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "inventory.toml"
        self.store = Store.open(folder / "state.sqlite")
        self.unusable = ""
        self.settings = Settings(data=str(folder))
        self.file = InventoryImport(self.store, self.settings, clock_s=lambda: 1_700_000_000.0, usable=self.usable)

    def usable(self, network: Inventory) -> None:
        if self.unusable:
            raise ValueError(self.unusable)

    def write(self, text: str) -> None:
        self.path.write_text(text, encoding="utf-8")

    def events(self) -> list[dict[str, Any]]:
        with self.store.reading() as connection:
            return [msgspec.json.decode(row["record"]) for row in connection.execute("SELECT record FROM audit_outbox")]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Import]:
    parts = Import(tmp_path)
    yield parts
    parts.store.close()


def test_missing_then_there_then_wrong_then_gone(made: Import) -> None:
    made.file.now()
    assert (made.store.network(), made.file.problem, made.file.exists) == (Inventory(), "", False)
    shutil.copy(GOOD, made.path)
    made.file.now()
    assert (len(made.store.network().vpcs), made.file.problem) == (2, "")
    made.write("[[vpcs]]\nid = 7\n")
    made.file.now()
    assert (len(made.store.network().vpcs), "is wrong" in made.file.problem) == (2, True)
    made.path.unlink()
    made.file.now()
    assert (len(made.store.network().vpcs), made.file.problem) == (2, "")


def test_a_file_that_is_half_written_for_a_moment_costs_nothing(made: Import) -> None:
    made.write(toml(INVENTORY))
    made.file.now()
    revision = made.store.revision()
    for text in ("", toml(INVENTORY), "", toml(INVENTORY)):
        made.write(text)
        made.file.look()
    assert (made.store.network(), made.store.revision(), len(made.events())) == (INVENTORY, revision, 1)
    made.write("")
    made.file.look()
    made.file.look()
    assert made.store.network() == Inventory(), "seen twice, so it is meant"


def test_a_wrong_file_is_told_once(made: Import, capsys: pytest.CaptureFixture[str]) -> None:
    made.write("[[nodes]]\nx=")
    for _ in range(3):
        made.file.look()
    assert "".join(capsys.readouterr()).count("the inventory cannot be used") == 1


def test_a_network_that_cannot_be_forwarded_in_is_refused_as_a_whole(made: Import) -> None:
    made.write(toml(INVENTORY))
    made.file.now()
    made.unusable = "two endpoints are one"
    made.write(toml(replace(INVENTORY, endpoints=())))
    made.file.now()
    assert (made.store.network(), len(made.events())) == (INVENTORY, 1)
    assert made.file.problem.endswith("inventory.toml cannot be used: two endpoints are one")


def test_an_import_does_not_take_a_subnet_from_an_endpoint_that_the_api_made(made: Import) -> None:
    made.write(toml(INVENTORY))
    made.file.now()
    endpoint = Endpoint(
        id="vpce-00000000000000002", interface_id="eni-2", subnet_id="subnet-e", address="10.0.1.11", device="gwe2",
        provider_vpc_id="vpc-p", router_mac="02:00:00:00:00:01",
    )
    with made.store.writing() as connection:
        put(connection, "endpoints", endpoint)
    made.write(toml(replace(INVENTORY, subnets=INVENTORY.subnets[1:], endpoints=())))
    made.file.now()
    assert "does not go with what the API made: eni-2 is in subnet-e" in made.file.problem
    assert made.store.network().subnets == INVENTORY.subnets


def test_an_import_is_an_audit_event_of_what_came_and_went(made: Import) -> None:
    made.write(toml(INVENTORY))
    made.file.now()
    made.write(toml(replace(INVENTORY, endpoints=())))
    made.file.now()
    first, second = made.events()
    assert (first["eventName"], first["eventType"], first["readOnly"]) == ("ImportInventory", "AwsServiceEvent", False)
    assert first["requestParameters"] == {"path": str(made.path)}
    assert set(first["responseElements"]["added"]) == {
        "us-east-1a", "vpc-c", "vpc-p", "subnet-e", "subnet-n", "eni-n", "vpce-00000000000000001",
    }
    assert second["responseElements"] == {"added": [], "changed": [], "removed": ["vpce-00000000000000001"]}


def test_an_event_of_very_much_names_some_of_it(tmp_path: Path) -> None:
    names = tuple(("vpcs", f"vpc-{number}") for number in range(IDS_MAX + 3))
    event = import_event(Settings(), tmp_path, Difference(added=names), 1.0)
    assert event.response_elements is not None
    assert event.response_elements["added"][IDS_MAX - 1:] == [f"vpc-{IDS_MAX - 1}", "and 3 more"]


def test_two_processes_may_import_the_same_file(made: Import) -> None:
    other = InventoryImport(made.store, made.settings, clock_s=lambda: 1.0, usable=made.usable)
    made.write(toml(INVENTORY))
    made.file.now()
    revision = made.store.revision()
    other.now()
    assert (made.store.revision(), len(made.events())) == (revision, 1)
