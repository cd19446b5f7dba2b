"""The ports: opened as the network comes to have them, let go when it has not, missing ones named."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from forwarder import ports as ports_module
from forwarder.inventory import Inventory
from forwarder.ports import Ports
from tests.forwarder.one_endpoint import INVENTORY

ENDPOINT, NODE = INVENTORY.endpoints[0].id, INVENTORY.nodes[0].address
NO_DEVICE = OSError(19, "No such device", "gwe")


class FakePort:
    """A port that opens, unless its device is among `absent`."""

    absent: dict[str, OSError]

    def __init__(self, **given: Any) -> None:
        self.device = given["device"]
        self.netns = given["netns"]
        self.kernel_forwards = False
        self.offloads: list[str] = []
        self.is_lost = False
        self.descriptor = 7

    def open(self) -> None:
        if self.device in self.absent:
            raise self.absent[self.device]

    def close(self) -> None:
        self.descriptor = -1

    def fileno(self) -> int:
        return self.descriptor

    def lost(self) -> bool:
        return self.is_lost


class FakeEndpointPort(FakePort):
    """An endpoint's, whose kernel and offloads are wrong."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.kernel_forwards, self.offloads = True, ["tx"]


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ports made of `FakePort`."""
    monkeypatch.setattr(FakePort, "absent", {}, raising=False)
    monkeypatch.setattr(ports_module, "EndpointPort", FakeEndpointPort)
    monkeypatch.setattr(ports_module, "NodePort", FakePort)
    return Ports(receive_buffer_bytes=65_536)


def names(ports: Any) -> tuple[list[str], list[str]]:
    return list(ports.endpoints), list(ports.nodes)


def test_ports_are_those_of_the_network(ports: Any) -> None:
    assert ports.follow(INVENTORY)
    assert names(ports) == ([ENDPOINT], [NODE])
    assert [port.device for port in (*ports.endpoints.values(), *ports.nodes.values())] == ["gwe", "gwn"]
    assert not ports.follow(INVENTORY), "nothing changed"


def test_one_that_cannot_be_opened_is_named_and_tried_again(ports: Any) -> None:
    FakePort.absent["gwe"] = NO_DEVICE
    assert ports.follow(INVENTORY)
    assert names(ports) == ([], [NODE])
    assert "No such device" in ports.missing["gwe"]
    assert not ports.follow(INVENTORY)
    FakePort.absent.clear()
    assert ports.follow(INVENTORY)
    assert (names(ports), ports.missing) == (([ENDPOINT], [NODE]), {})


def test_without_the_privilege_nothing_is_tried_again(ports: Any) -> None:
    FakePort.absent["gwe"] = PermissionError(1, "Operation not permitted")
    with pytest.raises(PermissionError):
        ports.follow(INVENTORY)


def test_what_the_network_has_no_more_is_let_go_and_left_to_its_user(ports: Any) -> None:
    ports.follow(INVENTORY)
    port = ports.endpoints[ENDPOINT]
    assert ports.follow(Inventory(nodes=INVENTORY.nodes))
    assert (names(ports), port.fileno()) == (([], [NODE]), 7)


def test_another_device_is_opened_once_the_one_before_is_closed(ports: Any) -> None:
    """Two sockets would both take the packets."""
    ports.follow(INVENTORY)
    before = ports.endpoints[ENDPOINT]
    moved = replace(INVENTORY, endpoints=(replace(INVENTORY.endpoints[0], device="gwe9"),))
    assert ports.follow(moved)
    assert not ports.follow(moved)
    assert names(ports) == ([], [NODE])
    before.close()
    assert ports.follow(moved)
    assert ports.endpoints[ENDPOINT].device == "gwe9"


def test_a_device_that_is_gone_is_said_and_waited_for(ports: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ports.follow(INVENTORY)
    ports.nodes[NODE].is_lost = True
    gone = ports.nodes[NODE]
    FakePort.absent["gwn"] = NO_DEVICE
    assert ports.follow(INVENTORY)
    gone.close()
    ports.follow(INVENTORY)
    assert (names(ports), set(ports.missing)) == (([ENDPOINT], []), {"gwn"})
    assert "a device is gone" in "".join(capsys.readouterr())
    FakePort.absent.clear()
    assert ports.follow(INVENTORY)
    assert names(ports) == ([ENDPOINT], [NODE])


def test_what_an_endpoints_device_does_wrong_is_told_with_its_remedy(ports: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ports.follow(INVENTORY)
    said = "".join(capsys.readouterr())
    assert "sysctl -w net.ipv4.conf.gwe.forwarding=0" in said
    assert "ethtool -K gwe tx off" in said

