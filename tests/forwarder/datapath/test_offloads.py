"""Offloads as the kernel tells them, and the command that turns them off."""

from __future__ import annotations

from forwarder.datapath.offloads import offloads_on, remedy


def test_the_remedy_can_be_pasted() -> None:
    assert remedy("vpce0", "", ["tx", "gro"]) == "ethtool -K vpce0 tx off gro off"
    assert remedy("vpce0", "gw", ["tx"]) == "ip netns exec gw ethtool -K vpce0 tx off"


def test_a_device_that_is_not_there_has_none_on() -> None:
    assert offloads_on("gw-none") == []
