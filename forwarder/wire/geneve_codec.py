"""GENEVE as a Gateway Load Balancer speaks it, by `struct`: the fast twin of `geneve_layers`.

Operations: make a header template for a path (endpoint to target), prepend it to an inner packet, read the header of what a
target returns.  Goals: no value objects per packet when sending; the same bytes, and the same verdicts, as scapy's layers.
Plan: all flows of a path share 56 of the 68 bytes; source port and cookie, which are the flow's, and what depends on the
packet's length are put between them.

Sources: RFC 8926 sections 3.4 and 3.5; Gateway Load Balancer user guide (68 bytes of encapsulation, MTU 8500).  What
AWS does not document is decided in docs/decisions/0010-outer-header.md.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple, Protocol

from forwarder.wire.checksum import internet_checksum
from forwarder.wire.inner_packet import Classified, classify
from forwarder.wire.malformed_packet import MalformedPacket

GENEVE_PORT = 6081
#: Bytes before the inner packet: 20 IPv4 + 8 UDP + 8 GENEVE + 32 options.
OVERHEAD_BYTES = 68
#: Bytes of GENEVE header and options that we send.
GENEVE_BYTES = 40
#: Largest inner packet that is carried (user guide, "Maximum transmission unit").
INNER_BYTES_MAX = 8500
AMAZON_CLASS = 0x0108
ENDPOINT_OPTION, ATTACHMENT_OPTION, COOKIE_OPTION = 1, 2, 3
IPV4_PROTOCOL, IPV6_PROTOCOL = 0x0800, 0x86DD
OUTER_TTL = 255
DONT_FRAGMENT = 0x4000

_OUTER_IP = Struct("!BBHHHBBH4s4s")
_UDP = Struct("!HHHH")
_GENEVE = Struct("!BBHI")
_OPTION = Struct("!HBB")
_OPTIONS = Struct("!HBBQHBBQHBBI")
_BASE_BYTES, _OPTION_BYTES = _GENEVE.size, _OPTION.size
_COOKIE_BYTES = _OPTION_BYTES + 4
_OPTION_DATA_BYTES = {ENDPOINT_OPTION: 8, ATTACHMENT_OPTION: 8, COOKIE_OPTION: 4}
# Our own header whole: base, then head and data of each option.
_whole = Struct("!8sIQIQII").unpack_from
_OUR_BASES = {
    _GENEVE.pack(_OPTIONS.size // 4, 0, protocol, 0): protocol for protocol in (IPV4_PROTOCOL, IPV6_PROTOCOL)
}
_OUR_HEADS = (0x01080102, 0x01080202, 0x01080301)
# The template cut at what differs by packet or flow: total length, header checksum, source port, UDP length, cookie option.
_pack = Struct("!2sH6sH8sHHH34s8s").pack


class Decapsulated(NamedTuple):
    """What the GENEVE header of a datagram says; the inner packet begins at `inner_offset` of the UDP payload."""

    endpoint_number: int
    attachment_number: int
    cookie: int
    protocol: int
    inner_offset: int


class Encapsulation(NamedTuple):
    """What a flow's outer header is made from.  Addresses are 4 bytes; numbers are those of the three options."""

    source: bytes
    target: bytes
    source_port: int
    endpoint_number: int
    attachment_number: int
    cookie: int
    protocol: int
    identification: int = 0
    dont_fragment: bool = True


class Header(Protocol):
    """The outer header of a path's flows, ready to be put before their packets."""

    def encapsulate(self, inner: bytes, source_port: int, cookie: bytes) -> bytes:
        """The whole outer IPv4 packet around `inner`; `cookie` is the flow's `cookie_option`."""


class Codec(Protocol):
    """One way to turn packets into values and back; `StructCodec` and `geneve_layers.ScapyCodec` agree in all."""

    def header(self, encapsulation: Encapsulation) -> Header:
        """The header of a path; the source port and cookie of `encapsulation` do not matter."""

    def decapsulate(self, payload: bytes) -> Decapsulated:
        """Read a UDP payload's GENEVE header or raise `MalformedPacket`."""

    def classify(self, packet: bytes) -> Classified:
        """See `inner_packet.classify`."""


class HeaderTemplate:
    """The 68 bytes before the packets of one path, but for what is a flow's."""

    __slots__ = ("_addresses", "_base_sum", "_identification_protocol", "_rest", "_version_service")

    def __init__(self, header: bytes) -> None:
        """`header` is a whole outer header; its lengths, IPv4 checksum, source port and cookie are ignored."""
        self._version_service = header[0:2]
        self._identification_protocol = header[4:10]
        self._addresses = header[12:20]
        # UDP checksum zero (RFC 8926 section 3.3), GENEVE and the first two options.
        self._rest = b"\0\0" + header[28:OVERHEAD_BYTES - _COOKIE_BYTES]
        fixed = header[0:2] + b"\0\0" + header[4:10] + b"\0\0" + header[12:20]
        self._base_sum = 0xFFFF - internet_checksum(fixed)

    def encapsulate(self, inner: bytes, source_port: int, cookie: bytes) -> bytes:
        """The whole outer IPv4 packet around `inner`; at most 65467 bytes fit (`struct.error` beyond)."""
        total = len(inner) + 68
        checksum = self._base_sum + total
        return _pack(
            self._version_service, total, self._identification_protocol,
            0xFFFF - (checksum & 0xFFFF) - (checksum >> 16),
            self._addresses, source_port, 6081, total - 20, self._rest, cookie,
        ) + inner


class StructCodec:
    """The codec the gateway runs on."""

    classify = staticmethod(classify)

    @staticmethod
    def header(encapsulation: Encapsulation) -> HeaderTemplate:
        """The template of a path."""
        return header_template(encapsulation)

    @staticmethod
    def decapsulate(payload: bytes) -> Decapsulated:
        """See `decapsulate`."""
        return decapsulate(payload)


def encapsulate(flow: Encapsulation, inner: bytes) -> bytes:
    """The whole outer IPv4 packet of one packet of a flow."""
    return header_template(flow).encapsulate(inner, flow.source_port, cookie_option(flow.cookie))


def header_template(flow: Encapsulation) -> HeaderTemplate:
    """Make the template of a flow's path."""
    outer = _OUTER_IP.pack(
        0x45, 0, 0, flow.identification, DONT_FRAGMENT if flow.dont_fragment else 0, OUTER_TTL, 17, 0,
        flow.source, flow.target,
    )
    udp = _UDP.pack(flow.source_port, GENEVE_PORT, 0, 0)
    return HeaderTemplate(outer + udp + geneve_header(flow))


def geneve_header(flow: Encapsulation) -> bytes:
    """GENEVE base header and the three options in Amazon's order, 40 bytes."""
    base = _GENEVE.pack(_OPTIONS.size // 4, 0, flow.protocol, 0)
    return base + _OPTIONS.pack(
        AMAZON_CLASS, ENDPOINT_OPTION, 2, flow.endpoint_number,
        AMAZON_CLASS, ATTACHMENT_OPTION, 2, flow.attachment_number,
        AMAZON_CLASS, COOKIE_OPTION, 1, flow.cookie,
    )


def cookie_option(cookie: int) -> bytes:
    """The flow cookie option, 8 bytes: the last ones of the header we send."""
    return _OPTION.pack(AMAZON_CLASS, COOKIE_OPTION, 1) + cookie.to_bytes(4, "big")


def decapsulate(payload: bytes) -> Decapsulated:
    """Read the GENEVE header of a UDP payload; `MalformedPacket` unless it is one that Amazon's options are in.

    Options are found by class and type in any order; unknown ones are skipped unless critical (RFC 8926 section 3.5).
    """
    if len(payload) >= GENEVE_BYTES:  # the common case: laid out as we send it
        base, head1, endpoint_number, head2, attachment_number, head3, cookie = _whole(payload)
        if base in _OUR_BASES and (head1, head2, head3) == _OUR_HEADS:
            return Decapsulated(endpoint_number, attachment_number, cookie, _OUR_BASES[base], GENEVE_BYTES)
    if len(payload) < _BASE_BYTES:
        raise MalformedPacket("GENEVE header cut short")
    first, flags, protocol, network = _GENEVE.unpack_from(payload)
    end = _BASE_BYTES + (first & 0x3F) * 4
    if first >> 6:
        raise MalformedPacket("GENEVE version is not 0")
    if flags & 0x80:
        raise MalformedPacket("GENEVE control packet")
    if network >> 8:
        raise MalformedPacket("GENEVE network identifier is not 0")
    if protocol not in (IPV4_PROTOCOL, IPV6_PROTOCOL):
        raise MalformedPacket("GENEVE payload is neither IPv4 nor IPv6")
    if end > len(payload):
        raise MalformedPacket("GENEVE options beyond the datagram")
    options = _amazon_options(payload, end)
    return Decapsulated(
        options[ENDPOINT_OPTION], options[ATTACHMENT_OPTION], options[COOKIE_OPTION], protocol, end
    )


def _amazon_options(payload: bytes, end: int) -> dict[int, int]:
    found: dict[int, int] = {}
    offset = _BASE_BYTES
    while offset < end:  # every step is at least 4 bytes of at most 252; `end` is a multiple of 4
        option_class, option_type, length = _OPTION.unpack_from(payload, offset)
        data = offset + _OPTION_BYTES
        offset = data + (length & 0x1F) * 4
        if offset > end:
            raise MalformedPacket("GENEVE option beyond the options")
        if option_class == AMAZON_CLASS and option_type in _OPTION_DATA_BYTES:
            if offset - data != _OPTION_DATA_BYTES[option_type]:
                raise MalformedPacket("Amazon option of the wrong length")
            if option_type in found:
                raise MalformedPacket("Amazon option given twice")
            found[option_type] = int.from_bytes(payload[data:offset], "big")
        elif option_type & 0x80:
            raise MalformedPacket("unknown critical GENEVE option")
    if len(found) != len(_OPTION_DATA_BYTES):
        raise MalformedPacket("Amazon option missing")
    return found
