"""Keys: how the two directions of a flow, and the flows that stick together, are recognised.

A key is a slice of the packet as `forwarder.wire.inner_packet.classify` gives it; here it is turned round, widened to
what stickiness looks at, and read back as text for flow records.

Source: Gateway Load Balancer user guide, "Stickiness": 5-tuple for TCP and UDP and 3-tuple otherwise by default;
3-tuple `source_ip_dest_ip_proto` or 2-tuple `source_ip_dest_ip` when turned on.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from struct import Struct

from forwarder.wire.inner_packet import OTHER, TCP

STICKY_3_TUPLE = "source_ip_dest_ip_proto"
STICKY_2_TUPLE = "source_ip_dest_ip"
_PROTOCOLS = (6, 17)
_IPV4_PORTS_KEY_BYTES = 12
_split_ipv4 = Struct("4s4s2s2s").unpack


def reverse_key(kind: int, key: bytes) -> bytes:
    """The key of the same flow's packets in the other direction."""
    if len(key) == _IPV4_PORTS_KEY_BYTES:  # done for every packet that goes back, and twice as fast as slices
        source, destination, source_port, destination_port = _split_ipv4(key)
        return bytes(destination + source + destination_port + source_port)
    if kind == OTHER:
        middle = 1 + (len(key) - 1) // 2
        return key[:1] + key[middle:] + key[1:middle]
    addresses = len(key) - 4
    middle = addresses // 2
    return key[middle:addresses] + key[:middle] + key[-2:] + key[-4:-2]


def protocol_of(kind: int, key: bytes) -> int:
    """IANA protocol number."""
    return key[0] if kind == OTHER else _PROTOCOLS[kind]


def addresses_of(kind: int, key: bytes) -> tuple[bytes, bytes]:
    """Source and destination address, 4 or 16 bytes each."""
    both = key[1:] if kind == OTHER else key[:-4]
    middle = len(both) // 2
    return both[:middle], both[middle:]


def ports_of(kind: int, key: bytes) -> tuple[int, int]:
    """Source and destination port; 0 and 0 for a protocol without ports and for fragments."""
    if kind == OTHER:
        return 0, 0
    return int.from_bytes(key[-4:-2], "big"), int.from_bytes(key[-2:], "big")


def version_of(kind: int, key: bytes) -> int:
    """IP version, 4 or 6."""
    return 4 if len(key) in (9, 12) else 6


def address_text(address: bytes) -> str:
    """An address as flow records write it."""
    if len(address) == 4:
        return f"{address[0]}.{address[1]}.{address[2]}.{address[3]}"
    return str(IPv6Address(address))


def address_bytes(text: str) -> bytes:
    """The four bytes of an IPv4 address in dotted form (the outer packet is always IPv4)."""
    return IPv4Address(text).packed


def flow_name(kind: int, key: bytes) -> bytes:
    """A name for the flow that both directions have: its 5-tuple or 3-tuple in a fixed order."""
    other = reverse_key(kind, key)
    return bytes((kind,)) + min(key, other)


def sticky_name(kind: int, key: bytes, stickiness: str) -> bytes:
    """The name that all flows which must share a target have, the same in both directions.

    Names of the two kinds of stickiness differ in length parity, so they never meet.
    """
    source, destination = addresses_of(kind, key)
    pair = min(source, destination) + max(source, destination)
    return pair if stickiness == STICKY_2_TUPLE else bytes((protocol_of(kind, key),)) + pair


def starts_connection(kind: int, tcp_flags: int) -> bool:
    """Whether a packet may start a flow: any but a TCP packet that is not a SYN (counted flags, so SYN-ACK is 18)."""
    return kind != TCP or tcp_flags & 18 == 2
