"""GENEVE and Amazon's three options as scapy layers: the definition that the fast codec is compared with.

Loading this module binds `Geneve` to UDP port 6081, so that scapy dissects and builds the balancer's packets anywhere:
in the lab's appliance, in captures, in tests.  `ScapyCodec` runs the whole engine on these layers, for study.

scapy's own contributed layer is not used: it has no name for option class 0x0108, and when it fills in an option's
length it keeps only two bits of the byte.  Lengths of Amazon's options are fixed here, so they are given as defaults.

Sources: RFC 8926 sections 3.4 and 3.5; IANA "Network Virtualization Overlay (NVO3)" registry (class 0x0108, Amazon).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from struct import pack

from scapy.fields import (
    BitField,
    ByteField,
    PacketListField,
    ShortField,
    StrLenField,
    X3BytesField,
    XByteField,
    XIntField,
    XLongField,
    XShortEnumField,
)
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.packet import Packet, Raw, bind_layers

from forwarder.wire.geneve_codec import (
    AMAZON_CLASS,
    ATTACHMENT_OPTION,
    COOKIE_OPTION,
    ENDPOINT_OPTION,
    GENEVE_PORT,
    IPV4_PROTOCOL,
    IPV6_PROTOCOL,
    OUTER_TTL,
    Decapsulated,
    Encapsulation,
)
from forwarder.wire.inner_packet import EXTENSION_HEADERS_MAX, OTHER, Classified
from forwarder.wire.inner_packet import TCP as TCP_KIND
from forwarder.wire.inner_packet import UDP as UDP_KIND
from forwarder.wire.malformed_packet import MalformedPacket
from gatewatch.records.flow_log import counted_tcp_flags

_CLASSES = {AMAZON_CLASS: "Amazon.com, Inc."}
_PROTOCOLS = {IPV4_PROTOCOL: "IPv4", IPV6_PROTOCOL: "IPv6"}


class GeneveOption(Packet):  # type: ignore[misc]
    """Any option.  `length` counts 4-byte words of data and is filled in when None; data must be whole words."""

    name = "GENEVE option"
    fields_desc = (
        XShortEnumField("option_class", 0, _CLASSES),
        XByteField("type", 0),
        BitField("reserved", 0, 3),
        BitField("length", None, 5),
        StrLenField("data", b"", length_from=lambda option: option.length * 4),
    )

    def post_build(self, header: bytes, payload: bytes) -> bytes:
        """Fill in the length."""
        if self.length is None:
            words = len(self.data) // 4
            header = header[:3] + bytes((header[3] & 0xE0 | words & 0x1F,)) + header[4:]
        return header + payload

    def extract_padding(self, data: bytes) -> tuple[bytes, bytes]:
        """What follows is the next option, not a payload."""
        return b"", data


class EndpointOption(GeneveOption):
    """Which endpoint the packet came in by: the last 16 hexadecimal digits of its id."""

    name = "Gateway Load Balancer endpoint"
    fields_desc = (
        XShortEnumField("option_class", AMAZON_CLASS, _CLASSES), XByteField("type", ENDPOINT_OPTION),
        BitField("reserved", 0, 3), BitField("length", 2, 5), XLongField("endpoint_number", 0),
    )


class AttachmentOption(GeneveOption):
    """The attachment id, opaque to appliances."""

    name = "Gateway Load Balancer attachment"
    fields_desc = (
        XShortEnumField("option_class", AMAZON_CLASS, _CLASSES), XByteField("type", ATTACHMENT_OPTION),
        BitField("reserved", 0, 3), BitField("length", 2, 5), XLongField("attachment_number", 0),
    )


class CookieOption(GeneveOption):
    """The flow cookie, which must come back unchanged."""

    name = "Gateway Load Balancer flow cookie"
    fields_desc = (
        XShortEnumField("option_class", AMAZON_CLASS, _CLASSES), XByteField("type", COOKIE_OPTION),
        BitField("reserved", 0, 3), BitField("length", 1, 5), XIntField("cookie", 0),
    )


_AMAZON_OPTIONS = {
    (AMAZON_CLASS, ENDPOINT_OPTION, 2): EndpointOption,
    (AMAZON_CLASS, ATTACHMENT_OPTION, 2): AttachmentOption,
    (AMAZON_CLASS, COOKIE_OPTION, 1): CookieOption,
}


def _next_option(
    packet: Packet, options: list[Packet], current: Packet | None, remaining: bytes
) -> type[GeneveOption] | None:
    """The layer of the option that begins `remaining`; an Amazon option of another length is a plain one."""
    if len(remaining) < 4:
        return None
    kind = (int.from_bytes(remaining[:2], "big"), remaining[2], remaining[3] & 0x1F)
    return _AMAZON_OPTIONS.get(kind, GeneveOption)


class Geneve(Packet):  # type: ignore[misc]
    """The GENEVE header.  `option_words` counts 4-byte words of options and is filled in when None."""

    name = "GENEVE"
    fields_desc = (
        BitField("version", 0, 2),
        BitField("option_words", None, 6),
        BitField("control", 0, 1),
        BitField("critical", 0, 1),
        BitField("reserved", 0, 6),
        XShortEnumField("protocol", IPV4_PROTOCOL, _PROTOCOLS),
        X3BytesField("network", 0),
        XByteField("reserved2", 0),
        PacketListField("options", [], next_cls_cb=_next_option, length_from=lambda header: header.option_words * 4),
    )

    def post_build(self, header: bytes, payload: bytes) -> bytes:
        """Fill in the length of the options."""
        if self.option_words is None:
            header = bytes((header[0] & 0xC0 | (len(header) - 8) // 4 & 0x3F,)) + header[1:]
        return header + payload


bind_layers(UDP, Geneve, dport=GENEVE_PORT)
bind_layers(Geneve, IP, protocol=IPV4_PROTOCOL)
bind_layers(Geneve, IPv6, protocol=IPV6_PROTOCOL)


def outer_packet(flow: Encapsulation, inner: bytes) -> Packet:
    """The outer packet as scapy layers, IPv4 first."""
    geneve = Geneve(protocol=flow.protocol, options=[
        EndpointOption(endpoint_number=flow.endpoint_number),
        AttachmentOption(attachment_number=flow.attachment_number),
        CookieOption(cookie=flow.cookie),
    ])
    outer = IP(
        src=".".join(map(str, flow.source)), dst=".".join(map(str, flow.target)), ttl=OUTER_TTL,
        id=flow.identification, flags="DF" if flow.dont_fragment else 0,
    )
    return outer / UDP(sport=flow.source_port, dport=GENEVE_PORT, chksum=0) / geneve / Raw(inner)


class ScapyHeader:
    """A path's header that builds every packet from layers."""

    def __init__(self, flow: Encapsulation) -> None:
        self._flow = flow

    def encapsulate(self, inner: bytes, source_port: int, cookie: bytes) -> bytes:
        """The whole outer IPv4 packet around `inner`."""
        flow = self._flow._replace(source_port=source_port, cookie=CookieOption(cookie).cookie)
        return bytes(outer_packet(flow, inner))


class ScapyCodec:
    """The codec made of scapy layers; slow, and equal to `geneve_codec.StructCodec` in every result."""

    @staticmethod
    def header(encapsulation: Encapsulation) -> ScapyHeader:
        """The header of a flow."""
        return ScapyHeader(encapsulation)

    @staticmethod
    def decapsulate(payload: bytes) -> Decapsulated:
        """See `decapsulate`."""
        return decapsulate(payload)

    @staticmethod
    def classify(packet: bytes) -> Classified:
        """See `classify`."""
        return classify(packet)


def decapsulate(payload: bytes) -> Decapsulated:
    """Read the GENEVE header with scapy; the same verdicts as `geneve_codec.decapsulate`."""
    if len(payload) < 8:
        raise MalformedPacket("GENEVE header cut short")
    end = 8 + Geneve(payload[:8]).option_words * 4
    header = Geneve(payload[:end])
    if header.version or header.control or header.network:
        raise MalformedPacket("GENEVE version, control bit or network identifier is not 0")
    if header.protocol not in _PROTOCOLS:
        raise MalformedPacket("GENEVE payload is neither IPv4 nor IPv6")
    if end > len(payload):
        raise MalformedPacket("GENEVE options beyond the datagram")
    found: dict[type[Packet], Packet] = {}
    for option in header.options:
        if option.__class__ in _AMAZON_OPTIONS.values():
            if option.__class__ in found:
                raise MalformedPacket("Amazon option given twice")
            found[option.__class__] = option
        else:
            _check_unknown(option)
    if len(found) != len(_AMAZON_OPTIONS):
        raise MalformedPacket("Amazon option missing")
    return Decapsulated(
        found[EndpointOption].endpoint_number, found[AttachmentOption].attachment_number,
        found[CookieOption].cookie, header.protocol, end,
    )


def _check_unknown(option: Packet) -> None:
    if not isinstance(option, GeneveOption) or len(option.data) != option.length * 4:
        raise MalformedPacket("GENEVE option beyond the options")
    if option.option_class == AMAZON_CLASS and option.type in (ENDPOINT_OPTION, ATTACHMENT_OPTION, COOKIE_OPTION):
        raise MalformedPacket("Amazon option of the wrong length")
    if option.type & 0x80:
        raise MalformedPacket("unknown critical GENEVE option")


class ExtensionHeader(Packet):  # type: ignore[misc]
    """The part that IPv6 hop-by-hop, routing and destination headers share; their options do not matter here."""

    name = "IPv6 extension header"
    fields_desc = (ByteField("nh", 59), ByteField("len", 0), ShortField("first", 0), XIntField("rest", 0))


def classify(packet: bytes) -> Classified:
    """Read the inner packet's headers with scapy; the same verdicts as `inner_packet.classify`.

    Only fixed headers are given to scapy: its parsers of IP and TCP options raise errors of many kinds on garbage.
    """
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= 20:
        return _classify_ipv4(packet, IP(packet[:20]))
    if version == 6 and len(packet) >= 40:
        return _classify_ipv6(packet, IPv6(packet[:40]))
    raise MalformedPacket("neither a whole IPv4 nor a whole IPv6 header")


def _classify_ipv4(packet: bytes, header: IP) -> Classified:
    offset = header.ihl * 4
    if offset < 20 or not offset <= header.len <= len(packet):
        raise MalformedPacket("IPv4 lengths do not fit")
    addresses = IPv4Address(header.src).packed + IPv4Address(header.dst).packed
    fragment = bool(header.flags.MF) or header.frag != 0
    return _classify_transport(packet[:header.len], offset, header.proto, addresses, fragment)


def _classify_ipv6(packet: bytes, header: IPv6) -> Classified:
    total = 40 + header.plen
    if total > len(packet):
        raise MalformedPacket("IPv6 payload length beyond the buffer")
    addresses = IPv6Address(header.src).packed + IPv6Address(header.dst).packed
    whole = packet[:total]
    protocol, offset, extensions = header.nh, 40, 0
    while protocol in (0, 43, 44, 60):
        extensions += 1
        if extensions > EXTENSION_HEADERS_MAX or len(whole) < offset + 8:
            raise MalformedPacket("IPv6 extension headers do not fit")
        if protocol == 44:
            extension = IPv6ExtHdrFragment(whole[offset:offset + 8])
            if extension.m or extension.offset:
                return _classify_transport(whole, offset + 8, extension.nh, addresses, True)
            size = 8
        else:
            extension = ExtensionHeader(whole[offset:offset + 8])
            size = 8 + extension.len * 8
        protocol, offset = extension.nh, offset + size
        if offset > total:
            raise MalformedPacket("IPv6 extension header beyond the packet")
    return _classify_transport(whole, offset, protocol, addresses, False)


def _classify_transport(whole: bytes, offset: int, protocol: int, addresses: bytes, fragment: bool) -> Classified:
    if fragment or protocol not in (6, 17):
        return OTHER, bytes((protocol,)) + addresses, len(whole), 0
    segment = whole[offset:]
    if protocol == 17:
        if len(segment) < 8:
            raise MalformedPacket("UDP header cut short")
        udp = UDP(segment[:8])
        return UDP_KIND, addresses + pack("!HH", udp.sport, udp.dport), len(whole), 0
    if len(segment) < 20:
        raise MalformedPacket("TCP header cut short")
    tcp = TCP(segment[:20])
    if tcp.dataofs < 5:
        raise MalformedPacket("TCP header length below 20 bytes")
    flags = counted_tcp_flags(int(tcp.flags) & 0xFF)
    return TCP_KIND, addresses + pack("!HH", tcp.sport, tcp.dport), len(whole), flags
