"""Is a device's offload on that breaks tunnels?  Asked of the kernel once, at start-up, to warn with the remedy.

A packet whose checksum is left for a network card to fill in (`tx`), or that is several packets in one (`tso`, `gso`,
`gro`), is not yet a packet that can travel in a tunnel.  Source: `linux/ethtool.h`, the one-value calls.
"""

from __future__ import annotations

import array
import fcntl
import socket
import struct

SIOCETHTOOL = 0x8946
#: Name as the `ethtool -K` command spells it, and the request that reads it (`ETHTOOL_GTXCSUM`, ...).
OFFLOADS = {"tx": 0x16, "tso": 0x1E, "gso": 0x23, "gro": 0x2B}

_VALUE = struct.Struct("=II")
_REQUEST = struct.Struct("@16sP8x")


def offloads_on(device: str) -> list[str]:
    """Names of the offloads that are on at `device`, in the calling thread's network namespace.

    What the kernel does not tell of a device counts as off.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        return [name for name, command in OFFLOADS.items() if _is_on(control, device, command)]


def _is_on(control: socket.socket, device: str, command: int) -> bool:
    value = array.array("B", _VALUE.pack(command, 0))
    request = _REQUEST.pack(device.encode(), value.buffer_info()[0])
    try:
        fcntl.ioctl(control, SIOCETHTOOL, request)
    except OSError:
        return False
    return bool(_VALUE.unpack(value)[1])


def remedy(device: str, netns: str, on: list[str]) -> str:
    """The command that turns these offloads off."""
    prefix = f"ip netns exec {netns} " if netns else ""
    return f"{prefix}ethtool -K {device} " + " ".join(f"{name} off" for name in on)
