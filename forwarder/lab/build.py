"""The parts that a lab is built of, made and removed: namespaces and veth pairs.  `reconcile.py` says which and when.

All work in a namespace is done by a thread that lives there (`network_namespace.run_in`): its netlink and ioctl
sockets, and its /proc/sys/net, are the namespace's.  Whatever fails raises `BuildError`, which says where and what.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
from collections.abc import Callable
from ctypes import addressof, create_string_buffer
from pathlib import Path

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from forwarder.lab import namespace as named
from forwarder.lab.plan import Link, Namespace, Side
from forwarder.network_namespace import NETNS_FOLDER, run_in

#: Offloads that break tunnels or hide packet sizes (ethtool.h, ETHTOOL_S*): receive and transmit checksum,
#: scatter-gather, TCP segmentation, generic segmentation, generic receive.
OFFLOADS = {"rx": 0x15, "tx": 0x17, "sg": 0x19, "tso": 0x1F, "gso": 0x24, "gro": 0x2C}
_SIOCETHTOOL = 0x8946
_LOOPBACK = 1
#: The alias of a link's first end once the link is set up.
SET_UP = "gatewatch: set up"
_SYSCTL = Path("/proc/sys/net")


class BuildError(RuntimeError):
    """The kernel refused a part of the network; the message names the namespace, the part and the reason."""


def attempt(namespace: str, what: str, action: Callable[[], object]) -> None:
    """Do it, and say of a refusal where and what it was about."""
    try:
        action()
    except NetlinkError as error:
        reason = os.strerror(error.code) if error.code > 0 else str(error)
        if error.code == errno.EOPNOTSUPP and what.startswith("the link"):
            reason = "the kernel has no veth devices (module veth)"
        raise BuildError(f"{namespace}: cannot make {what}: {reason}") from error
    except OSError as error:
        hint = ""
        if error.errno == errno.EROFS:
            hint = "; a container needs a writable /proc/sys (privileged, or systempaths=unconfined)"
        raise BuildError(f"{namespace}: cannot make {what}: {error}{hint}") from error


def is_namespace(name: str) -> bool:
    """Whether there is a namespace of that name, and not only the file for one, which a crash may leave."""
    try:
        run_in(name, lambda: None)
    except OSError:
        return False
    return True


def make_namespace(namespace: Namespace) -> None:
    """Make it, in the place of half of one."""
    named.delete(namespace.name)
    named.create(namespace.name, prepare=lambda: _set_sysctls(forwards=namespace.forwards))


def _set_sysctls(*, forwards: bool) -> None:
    """IPv4 only, no source check (decapsulated packets would be eaten), forwarding for routers alone.

    A new namespace takes IPv4's values from the host, so each is set.
    """
    for scope in ("all", "default"):
        _sysctl(f"ipv4/conf/{scope}/rp_filter", "0")
        _sysctl(f"ipv4/conf/{scope}/send_redirects", "0")
        if (_SYSCTL / "ipv6").exists():
            _sysctl(f"ipv6/conf/{scope}/disable_ipv6", "1")
    _sysctl("ipv4/ip_forward", "1" if forwards else "0")


def _sysctl(name: str, value: str) -> None:
    (_SYSCTL / name).write_text(value, encoding="ascii")


def is_linked(link: Link) -> bool:
    """Whether the link is there and was set up to the end."""
    def look() -> bool:
        with IPRoute() as netlink:
            marked = {found.get_attr("IFLA_IFNAME") for found in netlink.get_links() if found.get_attr("IFLA_IFALIAS") == SET_UP}
        return link.one.device in marked

    return run_in(link.one.namespace, look)


def make_link(link: Link) -> None:
    """Make it, in the place of one that was not set up."""
    def body() -> None:
        peer_namespace = os.open(NETNS_FOLDER / link.other.namespace, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with IPRoute() as netlink:
                for index in netlink.link_lookup(ifname=link.one.device):
                    netlink.link("del", index=index)
                peer = {"ifname": link.other.device, "address": link.other.mac, "mtu": link.mtu_bytes,
                        "net_ns_fd": peer_namespace}
                netlink.link("add", ifname=link.one.device, kind="veth", address=link.one.mac, mtu=link.mtu_bytes,
                             peer=peer)
        finally:
            os.close(peer_namespace)

    run_in(link.one.namespace, body)


def set_up_link(link: Link) -> None:
    """Both ends up as their sides say; then the mark, after which a link that is down stays so: that is how people make faults."""
    run_in(link.other.namespace, lambda: _set_up(link.other))
    run_in(link.one.namespace, lambda: _set_up(link.one, mark=True))


def _set_up(side: Side, *, mark: bool = False) -> None:
    with IPRoute() as netlink:
        netlink.link("set", index=_LOOPBACK, state="up")
        index: int = netlink.link_lookup(ifname=side.device)[0]
        turn_offloads_off(side.device)
        if side.reverse_path_filter:
            _sysctl(f"ipv4/conf/{side.device}/rp_filter", "1")
        netlink.link("set", index=index, arp=side.arp, state="up")
        if mark:
            netlink.link("set", index=index, ifalias=SET_UP)


def remove_link(link: Link) -> None:
    """Remove both ends, and with them their routes."""
    def body() -> None:
        with IPRoute() as netlink:
            for index in netlink.link_lookup(ifname=link.one.device):
                netlink.link("del", index=index)

    run_in(link.one.namespace, body)


def turn_offloads_off(device: str) -> None:
    """Turn every one of `OFFLOADS` off on a device of the calling thread's namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        for command in OFFLOADS.values():
            value = create_string_buffer(struct.pack("=II", command, 0), 8)
            request = struct.pack("16sP16x", device.encode(), addressof(value))
            fcntl.ioctl(channel, _SIOCETHTOOL, request)


def remove(names: tuple[str, ...]) -> int:
    """Remove the namespaces of these names; how many there were.

    Their devices go first, so that the network is gone even while some process still sits in a namespace.
    """
    return sum(_remove_one(name) for name in names)


def _remove_one(name: str) -> bool:
    if not named.exists(name):
        return False
    try:
        run_in(name, _remove_devices)
    except OSError as error:
        if error.errno != errno.EINVAL:  # EINVAL: a file without a namespace on it, left by a crash
            raise
    return named.delete(name)


def _remove_devices() -> None:
    with IPRoute() as netlink:
        for link in netlink.get_links():
            if link["index"] != _LOOPBACK:
                try:
                    netlink.link("del", index=link["index"])
                except NetlinkError as error:
                    if error.code not in (errno.ENODEV, errno.EOPNOTSUPP):  # gone already, or not removable (sit0)
                        raise
