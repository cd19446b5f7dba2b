"""Options of Linux sockets that Python's `socket` has no name for.

Sources: socket(7), packet(7), `asm-generic/socket.h`, `linux/filter.h`, `linux/sock_diag.h` (SK_MEMINFO).
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Sequence

SO_ATTACH_FILTER = 26
SO_RCVBUFFORCE = 33
SO_MEMINFO = 55

_MEMINFO = struct.Struct("=9I")
_MEMINFO_DROPS = 8
_RETURN = 0x06


def enlarge_receive_buffer(receiver: socket.socket, wanted_bytes: int) -> int:
    """Set the receive buffer, past the system's limit where allowed; the bytes granted (as the kernel counts them)."""
    try:
        receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, wanted_bytes)
    except PermissionError:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, wanted_bytes)
    return receiver.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2


def receive_drops(receiver: socket.socket) -> int:
    """Datagrams the kernel dropped since the socket was made: queue full, or a wrong checksum.  Wraps at 2**32."""
    drops: int = _MEMINFO.unpack(receiver.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, _MEMINFO.size))[_MEMINFO_DROPS]
    return drops


def refuse_all(receiver: socket.socket) -> None:
    """Attach a filter that takes no packet, which leaves the queue as it is."""
    attach_filter(receiver, ((_RETURN, 0, 0, 0),))


def attach_filter(receiver: socket.socket, instructions: Sequence[tuple[int, int, int, int]]) -> None:
    """Attach a classic BPF program (code, jump if true, jump if false, value) in place of the one there is."""
    packed = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    code = ctypes.create_string_buffer(packed, len(packed))
    receiver.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(instructions), ctypes.addressof(code)))
