"""The IPv4 or IPv6 packet inside: which flow it belongs to, how long it is, which TCP flags it has.

`classify` is called for every packet in both directions, so it returns a plain tuple and slices the key out of the
packet instead of building it.  What it checks: version, header lengths, total length against the buffer, and that the
transport header that the flow key and the flags come from is whole.  It does not verify the inner checksums: the
gateway carries the inner packet untouched and the host that receives it verifies them.

Fragments (more-fragments set or offset not zero) have no ports in all but the first, so every fragment is keyed like a
protocol without ports: source, destination, protocol (see docs/decisions/0012-fragments-by-3-tuple.md).

Sources: RFC 791, RFC 8200 (extension headers), RFC 9293 (TCP header), RFC 768 (UDP header).
"""

from __future__ import annotations

from struct import Struct

from forwarder.wire.malformed_packet import MalformedPacket
from gatewatch.records.flow_log import counted_tcp_flags

#: How a flow is keyed.  `TCP` and `UDP`: addresses and ports.  `OTHER`: protocol and addresses.
TCP, UDP, OTHER = 0, 1, 2
KINDS = (TCP, UDP, OTHER)

#: (kind, key, total length in bytes, TCP flags as flow records count them).
#:
#: Key of TCP and UDP: source, destination, source port, destination port (12 bytes for IPv4, 36 for IPv6);
#: key of OTHER: protocol, source, destination (9 or 33 bytes).
Classified = tuple[int, bytes, int, int]

IPV4_HEADER_BYTES = 20
IPV6_HEADER_BYTES = 40
TCP_HEADER_BYTES = 20
UDP_HEADER_BYTES = 8
_TCP, _UDP = 6, 17
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _DESTINATION = 0, 43, 44, 60
_EXTENSIONS = frozenset({_HOP_BY_HOP, _ROUTING, _FRAGMENT, _DESTINATION})
#: More extension headers than this in one packet are refused.
EXTENSION_HEADERS_MAX = 8

#: What each value of the TCP flags byte adds to a record's `tcp-flags`.
_COUNTED_FLAGS = tuple(counted_tcp_flags(flags) for flags in range(256))
_ipv4 = Struct("!2xH2xHxB").unpack_from  # total length, flags and fragment offset, protocol
_ipv6 = Struct("!4xHB").unpack_from  # payload length, next header


def classify(packet: bytes) -> Classified:
    """Kind, flow key, length and counted TCP flags of an IP packet; bytes past its length are padding and ignored.

    Raises `MalformedPacket` for anything that is not a whole IPv4 or IPv6 packet.
    """
    size = len(packet)
    if size >= 40 and packet[0] == 0x45:  # the common case: IPv4 without options, whole, not a fragment
        total, fragment, protocol = _ipv4(packet)
        if 40 <= total <= size and not fragment & 0x3FFF:
            if protocol == 6 and packet[32] >= 0x50:
                return TCP, packet[12:24], total, _COUNTED_FLAGS[packet[33]]
            if protocol == 17:
                return UDP, packet[12:24], total, 0
    if size == 0:
        raise MalformedPacket("empty packet")
    version = packet[0] >> 4
    if version == 4:
        return _classify_ipv4(packet)
    if version == 6:
        return _classify_ipv6(packet)
    raise MalformedPacket("IP version is neither 4 nor 6")


def _classify_ipv4(packet: bytes) -> Classified:
    if len(packet) < IPV4_HEADER_BYTES:
        raise MalformedPacket("IPv4 header cut short")
    total, fragment, protocol = _ipv4(packet)
    header_bytes = (packet[0] & 15) * 4
    if header_bytes < IPV4_HEADER_BYTES:
        raise MalformedPacket("IPv4 header length below 20 bytes")
    if not header_bytes <= total <= len(packet):
        raise MalformedPacket("IPv4 total length outside header and buffer")
    return _classify_transport(packet, packet[12:20], protocol, header_bytes, total, fragment & 0x3FFF != 0)


def _classify_ipv6(packet: bytes) -> Classified:
    if len(packet) < IPV6_HEADER_BYTES:
        raise MalformedPacket("IPv6 header cut short")
    payload_bytes, protocol = _ipv6(packet)
    total = IPV6_HEADER_BYTES + payload_bytes
    if total > len(packet):
        raise MalformedPacket("IPv6 payload length beyond the buffer")
    protocol, offset, fragment = _skip_extensions(packet, protocol, total)
    return _classify_transport(packet, packet[8:40], protocol, offset, total, fragment)


def _skip_extensions(packet: bytes, protocol: int, total: int) -> tuple[int, int, bool]:
    """Protocol, its offset and whether it is a fragment; stops at a fragment header, behind which nothing is sure."""
    offset = IPV6_HEADER_BYTES
    for _ in range(EXTENSION_HEADERS_MAX):
        if protocol not in _EXTENSIONS:
            return protocol, offset, False
        if offset + 8 > total:
            raise MalformedPacket("IPv6 extension header cut short")
        following = packet[offset]
        if protocol == _FRAGMENT:
            # An atomic fragment (RFC 6946: offset 0, no more fragments) is a whole packet.
            if packet[offset + 2] or packet[offset + 3] & 0xF9:
                return following, offset + 8, True
            offset += 8
        else:
            offset += 8 + packet[offset + 1] * 8
        if offset > total:
            raise MalformedPacket("IPv6 extension header beyond the packet")
        protocol = following
    if protocol in _EXTENSIONS:
        raise MalformedPacket(f"more than {EXTENSION_HEADERS_MAX} IPv6 extension headers")
    return protocol, offset, False


def _classify_transport(
    packet: bytes, addresses: bytes, protocol: int, offset: int, total: int, fragment: bool
) -> Classified:
    if fragment or protocol not in (_TCP, _UDP):
        return OTHER, bytes((protocol,)) + addresses, total, 0
    if protocol == _UDP:
        if offset + UDP_HEADER_BYTES > total:
            raise MalformedPacket("UDP header cut short")
        return UDP, addresses + packet[offset:offset + 4], total, 0
    if offset + TCP_HEADER_BYTES > total:
        raise MalformedPacket("TCP header cut short")
    if packet[offset + 12] < 0x50:
        raise MalformedPacket("TCP header length below 20 bytes")
    return TCP, addresses + packet[offset:offset + 4], total, _COUNTED_FLAGS[packet[offset + 13]]
