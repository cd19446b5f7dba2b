"""What the kernel has after `build`: offloads off, no IPv6, forwarding for routers alone; and what it says when it cannot."""

from __future__ import annotations

import array
import errno
import fcntl
import socket
import struct
from pathlib import Path
from typing import Any

import pytest
from pyroute2.netlink.exceptions import NetlinkError

from forwarder.lab import build
from forwarder.lab.build import BuildError
from forwarder.lab.lab import Lab
from forwarder.network_namespace import run_in

#: ETHTOOL_G*, the requests that read what `build.OFFLOADS` sets.
READ = {"rx": 0x14, "tx": 0x16, "sg": 0x18, "tso": 0x1E, "gso": 0x23, "gro": 0x2B}


def offload(device: str, command: int) -> int:
    value = array.array("B", struct.pack("=II", command, 1))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        fcntl.ioctl(channel, 0x8946, struct.pack("@16sP8x", device.encode(), value.buffer_info()[0]))
    return int(struct.unpack("=II", value)[1])


@pytest.mark.network
def test_offloads_are_off_on_every_device(lab: Lab) -> None:
    assert set(READ) == set(build.OFFLOADS)
    for entry in lab.plan.namespaces:
        found = run_in(entry.name, lambda name=entry.name: {  # type: ignore[misc]
            (side.device, offload_name): offload(side.device, command)
            for side in lab.plan.sides(name) for offload_name, command in READ.items()
        })
        assert not [key for key, value in found.items() if value], entry.name


@pytest.mark.network
def test_only_routers_forward_and_nobody_speaks_ipv6(lab: Lab) -> None:
    def look() -> tuple[str, str, bool]:
        forwards = Path("/proc/sys/net/ipv4/ip_forward").read_text(encoding="ascii").strip()
        strict = Path("/proc/sys/net/ipv4/conf/all/rp_filter").read_text(encoding="ascii").strip()
        addresses = Path("/proc/thread-self/net/if_inet6")
        return forwards, strict, addresses.exists() and bool(addresses.read_text(encoding="ascii"))

    for entry in lab.plan.namespaces:
        assert run_in(entry.name, look) == (str(int(entry.forwards)), "0", False), entry.name


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NetlinkError(errno.EOPNOTSUPP, "Unknown device type"), "the kernel has no veth devices"),
        (NetlinkError(errno.EPERM, ""), "Operation not permitted"),
        (OSError(errno.EROFS, "Read-only file system"), "writable /proc/sys"),
    ],
)
def test_a_refusal_says_what_would_help(error: Exception, said: str) -> None:
    def refuse(*_: Any) -> None:
        raise error

    with pytest.raises(BuildError, match=r"gw-igw: cannot make the link client-1: .*" + said):
        build.attempt("gw-igw", "the link client-1", refuse)
