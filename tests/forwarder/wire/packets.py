"""Inner packets, and strategies that draw them whole, odd and broken, for every test of the codec and the engine."""

from __future__ import annotations

from ipaddress import ip_address
from struct import pack

from hypothesis import strategies as st

SYN, ACK, FIN, RST = 2, 16, 1, 4


def ipv4(
    source: str, destination: str, protocol: int, payload: bytes, *, options: bytes = b"", fragment: int = 0
) -> bytes:
    """An IPv4 packet; `fragment` is the flags and offset field.  The header checksum is left zero: nobody reads it."""
    total = 20 + len(options) + len(payload)
    header = pack("!BBHHHBBH", 0x45 + len(options) // 4, 0, total, 1, fragment, 64, protocol, 0)
    return header + ip_address(source).packed + ip_address(destination).packed + options + payload


def ipv6(source: str, destination: str, next_header: int, payload: bytes) -> bytes:
    """An IPv6 packet; extension headers are part of the payload."""
    header = pack("!IHBB", 0x60000000, len(payload), next_header, 64)
    return header + ip_address(source).packed + ip_address(destination).packed + payload


def ip(source: str, destination: str, protocol: int, payload: bytes) -> bytes:
    """An IP packet of the version that the addresses have."""
    return (ipv6 if ":" in source else ipv4)(source, destination, protocol, payload)


def tcp(
    source: str, source_port: int, destination: str, destination_port: int, flags: int = ACK, data: bytes = b""
) -> bytes:
    """A TCP packet with those header flags."""
    segment = pack("!HHIIBBHHH", source_port, destination_port, 1, 0, 0x50, flags, 65535, 0, 0) + data
    return ip(source, destination, 6, segment)


def udp(source: str, source_port: int, destination: str, destination_port: int, data: bytes = b"") -> bytes:
    """A UDP packet."""
    return ip(source, destination, 17, pack("!HHHH", source_port, destination_port, 8 + len(data), 0) + data)


def echo(source: str, destination: str, data: bytes = b"ping") -> bytes:
    """An ICMP (IPv4) or ICMPv6 echo request."""
    kind, protocol = (128, 58) if ":" in source else (8, 1)
    return ip(source, destination, protocol, pack("!BBHHH", kind, 0, 0, 7, 1) + data)


_ipv4_addresses = st.sampled_from(["10.0.1.10", "10.0.1.11", "203.0.113.7", "0.0.0.0", "255.255.255.255"])
_ipv6_addresses = st.sampled_from(["2001:db8:1::10", "2001:db8:ffff::7", "::", "::1"])
_pairs = st.tuples(_ipv4_addresses, _ipv4_addresses) | st.tuples(_ipv6_addresses, _ipv6_addresses)
_ports = st.sampled_from([0, 53, 443, 40_000, 65_535])
_data = st.binary(max_size=20)

whole_packets = st.one_of(
    st.builds(lambda pair, a, b, flags, data: tcp(pair[0], a, pair[1], b, flags, data),
              _pairs, _ports, _ports, st.integers(0, 255), _data),
    st.builds(lambda pair, a, b, data: udp(pair[0], a, pair[1], b, data), _pairs, _ports, _ports, _data),
    st.builds(lambda pair, data: echo(*pair, data), _pairs, _data),
    st.builds(lambda pair, protocol, data: ip(*pair, protocol, data), _pairs, st.integers(0, 255), _data),
    st.builds(lambda a, b, protocol, options, fragment, data: ipv4(
        a, b, protocol, data, options=b"\1" * (4 * options), fragment=fragment,
    ), _ipv4_addresses, _ipv4_addresses, st.sampled_from([1, 6, 17]), st.integers(0, 10),
        st.sampled_from([0, 0x4000, 0x2000, 1, 0x1FFF, 0x8000]), st.binary(max_size=40)),
    st.builds(lambda a, b, first, chain: ipv6(a, b, first, chain), _ipv6_addresses, _ipv6_addresses,
              st.sampled_from([0, 43, 44, 60, 6, 17, 59]),
              st.lists(st.sampled_from([
                  bytes.fromhex("2c00010400000000"), bytes.fromhex("0600010400000000"),
                  bytes.fromhex("1100000000000001"), bytes.fromhex("1100000800000001"),
                  bytes.fromhex("3c01010400000000") + bytes(8), bytes.fromhex("9c4001bb00080000"), bytes(4),
              ]), max_size=12).map(b"".join)),
)


@st.composite
def broken_packets(draw: st.DrawFn) -> bytes:
    """A whole packet with some bytes changed, cut short or with padding behind it."""
    packet = bytearray(draw(whole_packets))
    for _ in range(draw(st.integers(0, 3))):
        packet[draw(st.integers(0, len(packet) - 1))] = draw(st.integers(0, 255))
    cut = draw(st.integers(0, len(packet)))
    return bytes(packet[:cut] if draw(st.booleans()) else packet) + draw(st.binary(max_size=8))


any_packets = whole_packets | broken_packets() | st.binary(max_size=120)
