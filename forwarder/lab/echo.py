"""ICMP echo messages (RFC 792, "Echo or Echo Reply Message")."""

from __future__ import annotations

import struct
from typing import NamedTuple

from forwarder.wire.checksum import internet_checksum

ECHO_REPLY, ECHO_REQUEST = 0, 8
_HEADER = struct.Struct("!BBHHH")


class Echo(NamedTuple):
    """An echo request or reply."""

    type: int
    identifier: int
    sequence: int
    payload: bytes


def pack_echo(echo: Echo) -> bytes:
    """The ICMP message."""
    blank = _HEADER.pack(echo.type, 0, 0, echo.identifier, echo.sequence) + echo.payload
    return _HEADER.pack(echo.type, 0, internet_checksum(blank), echo.identifier, echo.sequence) + echo.payload


def read_echo(packet: bytes) -> Echo | None:
    """The echo message in an IPv4 packet, as a raw socket gives it; None when it is something else or damaged."""
    start = (packet[0] & 0xF) * 4 if packet else 0
    message = packet[start:]
    if len(message) < _HEADER.size or internet_checksum(message[:2] + b"\0\0" + message[4:]) != _checksum_of(message):
        return None
    kind, code, _, identifier, sequence = _HEADER.unpack_from(message)
    if kind not in (ECHO_REPLY, ECHO_REQUEST) or code:
        return None
    return Echo(kind, identifier, sequence, message[_HEADER.size:])


def _checksum_of(message: bytes) -> int:
    return int.from_bytes(message[2:4], "big")
