"""Endpoints by the command line: listed, attached, and why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from forwarder.control.network_state import put_whole
from forwarder.control.store import Store
from forwarder.inventory import Attachment, Endpoint
from forwarder.lab import topology
from gatewatch.endpoint_commands import BadAttachment, endpoint_attach, endpoint_list
from gatewatch.settings import Settings

NEW = "vpce-0123456789abcdef0"
PLACE = Attachment(device="eth7", router_mac="02:00:00:00:00:07")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data folder with the lab's network and an endpoint that was just made."""
    network = topology.network("gw")
    made = Endpoint(id=NEW, interface_id="eni-0123456789abcdef0", subnet_id=network.subnets[0].id, address="10.0.1.77")
    store = Store.open(tmp_path / "state.sqlite")
    with store.writing() as connection:
        put_whole(connection, replace(network, endpoints=(*network.endpoints, made)))
    store.close()
    return Settings(data=str(tmp_path))


def test_an_endpoint_is_attached(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    endpoint_list(settings)
    assert capsys.readouterr().out.splitlines()[1] == f"{NEW}  pending    10.0.1.77        not attached"
    endpoint_attach(settings, NEW, PLACE)
    endpoint_list(settings)
    assert capsys.readouterr().out.splitlines()[-1] == f"{NEW}  pending    10.0.1.77        eth7"


@pytest.mark.parametrize(("endpoint", "place", "said"), [
    ("vpce-1", PLACE, "there is no endpoint vpce-1; there are: vpce-0"),
    (NEW, replace(PLACE, router_mac="eth8"), "has the router_mac 'eth8'; one is like 02:00:00:00:00:01"),
    (NEW, replace(PLACE, device="vpce0", netns="gw-node"), "the endpoint's device gw-node:vpce0 is given 2 times"),
])
def test_what_cannot_be_is_refused_and_nothing_changes(settings: Settings, endpoint: str, place: Attachment, said: str) -> None:
    with pytest.raises(BadAttachment, match=said):
        endpoint_attach(settings, endpoint, place)
    store = Store.open(settings.data_path / "state.sqlite")
    assert store.network().endpoints[-1].device == ""
    store.close()


def test_a_folder_in_which_nothing_ran_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadAttachment, match="nothing ran in this data folder yet"):
        endpoint_list(Settings(data=str(tmp_path)))
