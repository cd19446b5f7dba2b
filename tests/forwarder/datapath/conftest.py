"""Network namespaces for tests that move real packets: made for one test, removed after it."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.forwarder.datapath.arrival import wait_for

_numbers = itertools.count()


class Network:
    """Namespaces and veth pairs with names of this process alone."""

    def __init__(self) -> None:
        self._prefix = f"gwt{os.getpid() % 100_000}x{next(_numbers)}"
        self._names: list[str] = []

    def namespace(self, name: str) -> str:
        """Make a namespace without IPv6 chatter; its full name."""
        full = f"{self._prefix}{name}"
        ip("netns", "add", full)
        self._names.append(full)
        if Path("/proc/sys/net/ipv6").exists():
            inside(full, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1", "net.ipv6.conf.all.disable_ipv6=1")
        ip("-n", full, "link", "set", "lo", "up")
        return full

    def pair(self, first: tuple[str, str], second: tuple[str, str], mtu: int = 9000) -> None:
        """Join (namespace, device) to (namespace, device) by a veth pair, up, offloads off."""
        ip("link", "add", first[1], "netns", first[0], "mtu", str(mtu), "type", "veth",
           "peer", "name", second[1], "netns", second[0], "mtu", str(mtu))
        for namespace, device in (first, second):
            inside(namespace, "ethtool", "-K", device, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
            ip("-n", namespace, "link", "set", device, "up")
        self.wait_until_up(first, second)

    def wait_until_up(self, *ends: tuple[str, str]) -> None:
        """Wait until the kernel has noticed that there is somebody at each (namespace, device)'s other end."""
        for namespace, device in ends:
            wait_for(lambda at=(namespace, device): "state UP" in ip("-n", at[0], "-o", "link", "show", at[1]))  # type: ignore[misc]

    def address(self, namespace: str, device: str, address: str) -> None:
        """Give a device an address (with prefix length)."""
        ip("-n", namespace, "address", "add", address, "dev", device)

    def remove(self) -> None:
        """Remove the namespaces, and with them all that is inside."""
        for name in self._names:
            ip("netns", "delete", name)


def ip(*arguments: str) -> str:
    """Run `ip`, and fail with what it said."""
    return _run("ip", *arguments)


def inside(namespace: str, *command: str) -> str:
    """Run a command inside a namespace."""
    return _run("ip", "netns", "exec", namespace, *command)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


@pytest.fixture
def network() -> Iterator[Network]:
    """A `Network` that is removed afterwards."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root here")
    missing = [name for name in ("ip", "ethtool", "sysctl") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    made = Network()
    try:
        yield made
    finally:
        made.remove()
