"""Keys turned round, widened and read back."""

from __future__ import annotations

import pytest
from hypothesis import assume, given

from forwarder.engine.flow_key import (
    STICKY_2_TUPLE,
    STICKY_3_TUPLE,
    address_bytes,
    address_text,
    addresses_of,
    flow_name,
    ports_of,
    protocol_of,
    reverse_key,
    starts_connection,
    sticky_name,
    version_of,
)
from forwarder.wire.inner_packet import OTHER, TCP, UDP, classify
from forwarder.wire.malformed_packet import MalformedPacket
from tests.forwarder.wire.packets import echo, tcp, udp, whole_packets

A, B, A6, B6 = "10.0.1.10", "203.0.113.7", "2001:db8:1::10", "2001:db8:ffff::7"


@pytest.mark.parametrize(("there", "back"), [
    (tcp(A, 40_000, B, 443), tcp(B, 443, A, 40_000)),
    (udp(A6, 53, B6, 53), udp(B6, 53, A6, 53)),
    (echo(A, B), echo(B, A)),
    (echo(A6, B6), echo(B6, A6)),
])
def test_the_reverse_of_a_key_is_the_key_of_the_answer(there: bytes, back: bytes) -> None:
    kind, key, *_ = classify(there)
    other_kind, other_key, *_ = classify(back)
    assert (kind, reverse_key(kind, key)) == (other_kind, other_key)
    assert flow_name(kind, key) == flow_name(kind, other_key)
    for stickiness in (STICKY_2_TUPLE, STICKY_3_TUPLE):
        assert sticky_name(kind, key, stickiness) == sticky_name(kind, other_key, stickiness)


@pytest.mark.parametrize(("packet", "protocol", "version", "addresses", "ports"), [
    (tcp(A, 40_000, B, 443), 6, 4, (A, B), (40_000, 443)),
    (udp(A6, 53, B6, 5353), 17, 6, (A6, B6), (53, 5353)),
    (echo(A, B), 1, 4, (A, B), (0, 0)),
    (echo(A6, B6), 58, 6, (A6, B6), (0, 0)),
])
def test_a_key_is_read_back(
    packet: bytes, protocol: int, version: int, addresses: tuple[str, str], ports: tuple[int, int]
) -> None:
    kind, key, *_ = classify(packet)
    source, destination = addresses_of(kind, key)
    assert (address_text(source), address_text(destination)) == addresses
    assert (protocol_of(kind, key), version_of(kind, key), ports_of(kind, key)) == (protocol, version, ports)


def test_ports_and_protocol_matter_as_far_as_stickiness_says() -> None:
    names = {
        stickiness: [
            sticky_name(*classify(packet)[:2], stickiness)
            for packet in (tcp(A, 1, B, 2), tcp(A, 3, B, 4), udp(A, 1, B, 2), udp("10.0.1.11", 1, B, 2))
        ]
        for stickiness in (STICKY_3_TUPLE, STICKY_2_TUPLE)
    }
    assert [names[STICKY_3_TUPLE].index(name) for name in names[STICKY_3_TUPLE]] == [0, 0, 2, 3]
    assert [names[STICKY_2_TUPLE].index(name) for name in names[STICKY_2_TUPLE]] == [0, 0, 0, 3]


def test_addresses_of_the_outer_packet() -> None:
    assert address_bytes("10.1.0.200") == bytes((10, 1, 0, 200))
    with pytest.raises(ValueError, match="2001:db8::1"):
        address_bytes("2001:db8::1")


@pytest.mark.parametrize(("kind", "flags", "starts"), [
    (TCP, 2, True), (TCP, 3, True), (TCP, 18, False), (TCP, 0, False), (TCP, 4, False), (TCP, 1, False),
    (UDP, 0, True), (OTHER, 0, True),
])
def test_only_a_syn_starts_a_tcp_flow(kind: int, flags: int, starts: bool) -> None:
    assert starts_connection(kind, flags) is starts


@given(whole_packets)
def test_reversing_twice_changes_nothing(packet: bytes) -> None:
    try:
        kind, key, *_ = classify(packet)
    except MalformedPacket:
        assume(False)
    assert reverse_key(kind, reverse_key(kind, key)) == key
    assert addresses_of(kind, reverse_key(kind, key)) == addresses_of(kind, key)[::-1]
    assert ports_of(kind, reverse_key(kind, key)) == ports_of(kind, key)[::-1]
