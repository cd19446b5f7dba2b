"""The ports together: all are opened or none, and what is lost is named."""

from __future__ import annotations

from typing import Any

import pytest

from forwarder.ports import Ports, ports_of
from tests.forwarder.one_endpoint import INVENTORY


class FakePort:
    """A port that opens, or does not."""

    kernel_forwards = False
    netns = ""

    def __init__(self, device: str, *, problem: OSError | None = None, offloads: list[str] | None = None) -> None:
        self.device = device
        self.offloads = offloads or []
        self.is_lost = False
        self.done: list[str] = []
        self._problem = problem

    def open(self) -> None:
        if self._problem is not None:
            raise self._problem
        self.done.append("open")

    def close(self) -> None:
        self.done.append("close")

    def lost(self) -> bool:
        return self.is_lost


def ports(endpoint: Any, node: Any) -> Ports:
    return Ports(endpoints=[endpoint], nodes=[node])


def test_ports_are_those_of_the_inventory() -> None:
    made = ports_of(INVENTORY, receive_buffer_bytes=65_536)
    assert [port.device for port in made.endpoints] == ["gwe"]
    assert [(port.address, port.device) for port in made.nodes] == [("10.9.0.1", "gwn")]


def test_one_that_cannot_be_opened_closes_the_others() -> None:
    endpoint, node = FakePort("gwe"), FakePort("gwn", problem=OSError(19, "No such device", "gwn"))
    with pytest.raises(OSError, match="gwn"):
        ports(endpoint, node).open()
    assert (endpoint.done, node.done) == (["open", "close"], [])


def test_what_an_endpoints_device_does_wrong_is_told_with_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    endpoint, node = FakePort("gwe", offloads=["tx"]), FakePort("gwn")
    endpoint.kernel_forwards = True
    made = ports(endpoint, node)
    made.open()
    made.close()
    assert (endpoint.done, node.done) == (["open", "close"], ["open", "close"])
    said = "".join(capsys.readouterr())
    assert "sysctl -w net.ipv4.conf.gwe.forwarding=0" in said
    assert "ethtool -K gwe tx off" in said


def test_a_device_that_is_gone_is_named() -> None:
    endpoint, node = FakePort("gwe"), FakePort("gwn")
    made = ports(endpoint, node)
    assert made.lost() == []
    node.is_lost = True
    assert made.lost() == ["gwn"]
