"""What the inner packet's headers say, for whole, odd and broken packets; scapy has the second opinion."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given, settings

from forwarder.wire.geneve_layers import classify as scapy_classify
from forwarder.wire.inner_packet import OTHER, TCP, UDP, Classified, classify
from forwarder.wire.malformed_packet import MalformedPacket
from gatewatch.records.flow_log import SYN_ACK
from tests.forwarder.wire.packets import ACK, SYN, any_packets, echo, ip, ipv4, ipv6, tcp, udp, whole_packets

A, B = "10.0.1.10", "203.0.113.7"
A6, B6 = "2001:db8:1::10", "2001:db8:ffff::7"
PORTS = bytes.fromhex("9c4001bb")


def packed(*addresses: str) -> bytes:
    return b"".join(ip_address(address).packed for address in addresses)


@pytest.mark.parametrize(("packet", "expected"), [
    (tcp(A, 40_000, B, 443, SYN), (TCP, packed(A, B) + PORTS, 40, 2)),
    (tcp(A6, 40_000, B6, 443, SYN | ACK, b"x"), (TCP, packed(A6, B6) + PORTS, 61, SYN_ACK)),
    (udp(A, 40_000, B, 443), (UDP, packed(A, B) + PORTS, 28, 0)),
    (udp(A6, 40_000, B6, 443), (UDP, packed(A6, B6) + PORTS, 48, 0)),
    (echo(A, B), (OTHER, b"\x01" + packed(A, B), 32, 0)),
    (echo(A6, B6), (OTHER, b"\x3a" + packed(A6, B6), 52, 0)),
    (ip(A, B, 47, b""), (OTHER, b"\x2f" + packed(A, B), 20, 0)),
    (ip(A6, B6, 59, b""), (OTHER, b"\x3b" + packed(A6, B6), 40, 0)),
], ids=["tcp4", "tcp6", "udp4", "udp6", "icmp", "icmpv6", "gre", "no next header"])
def test_each_protocol_has_its_key(packet: bytes, expected: Classified) -> None:
    assert classify(packet) == expected


def test_ipv4_options_are_stepped_over() -> None:
    segment = tcp(A, 40_000, B, 443, SYN)[20:]
    assert classify(ipv4(A, B, 6, segment, options=bytes(8))) == (TCP, packed(A, B) + PORTS, 48, 2)


def test_ethernet_padding_does_not_count() -> None:
    assert classify(udp(A, 40_000, B, 443) + bytes(18)) == classify(udp(A, 40_000, B, 443))
    assert classify(udp(A6, 40_000, B6, 443) + bytes(18)) == classify(udp(A6, 40_000, B6, 443))


@pytest.mark.parametrize("field", [0x2000, 0x0001, 0x3FFF], ids=["first", "last", "middle"])
@pytest.mark.parametrize("protocol", [6, 17])
def test_every_ipv4_fragment_is_keyed_without_ports(field: int, protocol: int) -> None:
    packet = ipv4(A, B, protocol, b"whatever follows, a header or not", fragment=field)
    assert classify(packet) == (OTHER, bytes((protocol,)) + packed(A, B), len(packet), 0)


def test_dont_fragment_is_no_fragment() -> None:
    assert classify(ipv4(A, B, 17, udp(A, 40_000, B, 443)[20:], fragment=0x4000))[0] == UDP


def test_ipv6_fragments_are_keyed_without_ports_but_atomic_ones_are_whole() -> None:
    datagram = udp(A6, 40_000, B6, 443)[40:]
    first = ipv6(A6, B6, 44, bytes.fromhex("1100000100000001") + datagram)
    atomic = ipv6(A6, B6, 44, bytes.fromhex("1100000000000001") + datagram)
    assert classify(first) == (OTHER, b"\x11" + packed(A6, B6), 56, 0)
    assert classify(atomic) == (UDP, packed(A6, B6) + PORTS, 56, 0)


@pytest.mark.parametrize(("headers", "allowed"), [(8, True), (9, False)])
def test_a_chain_of_extension_headers_has_an_end(headers: int, allowed: bool) -> None:
    chain = bytes.fromhex("3c00010400000000") * (headers - 1) + bytes.fromhex("3a00010400000000")
    packet = ipv6(A6, B6, 60, chain)
    if allowed:
        assert classify(packet) == (OTHER, b"\x3a" + packed(A6, B6), len(packet), 0)
    else:
        with pytest.raises(MalformedPacket, match="more than 8 IPv6 extension headers"):
            classify(packet)


@pytest.mark.parametrize(("packet", "reason"), [
    (b"", "empty packet"),
    (b"\x15" + bytes(40), "IP version is neither 4 nor 6"),
    (tcp(A, 1, B, 2)[:19], "IPv4 header cut short"),
    (b"\x44" + tcp(A, 1, B, 2)[1:], "IPv4 header length below 20 bytes"),
    (tcp(A, 1, B, 2)[:39], "IPv4 total length outside header and buffer"),
    (ipv4(A, B, 6, bytes(19)), "TCP header cut short"),
    (ipv4(A, B, 6, bytes(12) + b"\x40" + bytes(7)), "TCP header length below 20 bytes"),
    (ipv4(A, B, 17, bytes(7)), "UDP header cut short"),
    (tcp(A6, 1, B6, 2)[:39], "IPv6 header cut short"),
    (tcp(A6, 1, B6, 2)[:59], "IPv6 payload length beyond the buffer"),
    (ipv6(A6, B6, 0, bytes(7)), "IPv6 extension header cut short"),
    (ipv6(A6, B6, 0, b"\x06\x05" + bytes(14)), "IPv6 extension header beyond the packet"),
])
def test_what_is_not_a_whole_packet_is_named(packet: bytes, reason: str) -> None:
    with pytest.raises(MalformedPacket, match=f"^{reason}$"):
        classify(packet)


def verdict(packet: bytes) -> tuple[Classified | None, Classified | None]:
    verdicts: list[Classified | None] = []
    for function in (classify, scapy_classify):
        try:
            verdicts.append(function(packet))
        except MalformedPacket:
            verdicts.append(None)
    return verdicts[0], verdicts[1]


@settings(max_examples=400, deadline=None)
@given(any_packets)
def test_struct_and_scapy_say_the_same(packet: bytes) -> None:
    ours, scapys = verdict(packet)
    assert ours == scapys
    if ours is not None:
        assert ours[2] <= len(packet)


@given(whole_packets)
def test_padding_changes_nothing(packet: bytes) -> None:
    assert verdict(packet)[0] == verdict(packet + b"\xff" * 9)[0]
