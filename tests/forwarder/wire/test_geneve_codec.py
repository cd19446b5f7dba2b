"""The struct codec: byte for byte the worked examples and scapy's, and every broken header named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forwarder.wire import geneve_layers
from forwarder.wire.checksum import internet_checksum
from forwarder.wire.geneve_codec import (
    GENEVE_BYTES,
    OVERHEAD_BYTES,
    Decapsulated,
    Encapsulation,
    StructCodec,
    cookie_option,
    decapsulate,
    encapsulate,
    geneve_header,
    header_template,
)
from forwarder.wire.inner_packet import classify
from forwarder.wire.malformed_packet import MalformedPacket

FIXTURES = Path(__file__).parents[2] / "fixtures" / "packets"
EXAMPLES = json.loads((FIXTURES / "geneve_examples.json").read_text(encoding="utf-8"))
MALFORMED = json.loads((FIXTURES / "malformed_headers.json").read_text(encoding="utf-8"))


def encapsulation(example: dict[str, Any]) -> Encapsulation:
    return Encapsulation(
        bytes(map(int, example["source"].split("."))), bytes(map(int, example["target"].split("."))),
        example["source_port"], int(example["endpoint_number"], 16), int(example["attachment_number"], 16),
        int(example["cookie"], 16), int(example["protocol"], 16), example["identification"], False,
    )


flows = st.builds(
    Encapsulation, st.binary(min_size=4, max_size=4), st.binary(min_size=4, max_size=4), st.integers(0, 65_535),
    st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1),
    st.sampled_from([0x0800, 0x86DD]), st.integers(0, 65_535), st.booleans(),
)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["title"])
def test_a_worked_example_comes_out_to_the_byte(example: dict[str, Any]) -> None:
    inner, outer = bytes.fromhex(example["inner"]), bytes.fromhex(example["outer"])
    assert encapsulate(encapsulation(example), inner) == outer
    expected = encapsulation(example)
    assert decapsulate(outer[28:]) == Decapsulated(
        expected.endpoint_number, expected.attachment_number, expected.cookie, expected.protocol, GENEVE_BYTES
    )
    classified = example["classified"]
    assert classify(inner) == (
        classified["kind"], bytes.fromhex(classified["key"]), classified["length"], classified["tcp_flags"]
    )


@settings(deadline=None)
@given(flows, st.binary(max_size=100))
def test_struct_and_scapy_build_the_same_bytes(flow: Encapsulation, inner: bytes) -> None:
    outer = encapsulate(flow, inner)
    assert outer == geneve_layers.ScapyHeader(flow).encapsulate(inner, flow.source_port, cookie_option(flow.cookie))
    assert len(outer) == OVERHEAD_BYTES + len(inner)
    assert outer[OVERHEAD_BYTES:] == inner


@given(flows, st.integers(0, 65_467))
def test_lengths_and_checksum_are_right_at_every_size(flow: Encapsulation, size: int) -> None:
    outer = StructCodec.header(flow).encapsulate(bytes(size), flow.source_port, cookie_option(flow.cookie))
    assert int.from_bytes(outer[2:4], "big") == 68 + size
    assert int.from_bytes(outer[24:26], "big") == 48 + size
    assert outer[26:28] == b"\0\0", "the UDP checksum is zero"
    assert internet_checksum(outer[:20]) == 0, "a header with its checksum in place sums to zero"


@given(flows)
def test_what_was_put_in_is_read_back(flow: Encapsulation) -> None:
    payload = encapsulate(flow, b"inner")[28:]
    read = StructCodec.decapsulate(payload)
    assert read == (flow.endpoint_number, flow.attachment_number, flow.cookie, flow.protocol, GENEVE_BYTES)
    assert payload == geneve_header(flow) + b"inner"
    assert geneve_header(flow).endswith(cookie_option(flow.cookie))


@given(flows, flows)
def test_flows_of_one_path_share_their_header_but_for_port_and_cookie(flow: Encapsulation, other: Encapsulation) -> None:
    same_path = flow._replace(source_port=other.source_port, cookie=other.cookie)
    shared = header_template(flow).encapsulate(b"inner", other.source_port, cookie_option(other.cookie))
    assert shared == encapsulate(same_path, b"inner")


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case["title"])
def test_a_broken_header_is_named(case: dict[str, str]) -> None:
    with pytest.raises(MalformedPacket, match=f"^{case['reason']}$"):
        decapsulate(bytes.fromhex(case["payload"]))


BASE = bytes.fromhex("0800080000000000")
OPTIONS = [
    bytes.fromhex("010801020a1b2c3d4e5f6071"), bytes.fromhex("010802021122334455667788"),
    bytes.fromhex("01080301deadbeef"),
]
UNKNOWN = [bytes.fromhex("01000100"), bytes.fromhex("0108040212345678abcdef00"), bytes.fromhex("ffff7f0100000000")]


@given(st.permutations(OPTIONS + UNKNOWN), st.integers(0, 0x3F), st.integers(0, 255))
def test_options_are_found_in_any_order_among_unknown_ones(options: list[bytes], reserved: int, last: int) -> None:
    area = b"".join(options)
    payload = bytes((len(area) // 4, 0x40 | reserved)) + BASE[2:7] + bytes((last,)) + area + b"inner"
    read = decapsulate(payload)
    assert read == (0x0A1B2C3D4E5F6071, 0x1122334455667788, 0xDEADBEEF, 0x0800, 8 + len(area))
    assert payload[read.inner_offset:] == b"inner"
    assert geneve_layers.decapsulate(payload) == read


@st.composite
def damaged_headers(draw: st.DrawFn) -> bytes:
    payload = bytearray(BASE + b"".join(draw(st.permutations(OPTIONS + UNKNOWN[:draw(st.integers(0, 3))]))))
    payload[0] = (len(payload) - 8) // 4
    for _ in range(draw(st.integers(0, 3))):
        payload[draw(st.integers(0, len(payload) - 1))] = draw(st.integers(0, 255))
    return bytes(payload[:draw(st.integers(0, len(payload)))] if draw(st.booleans()) else payload)


@settings(max_examples=400, deadline=None)
@given(damaged_headers() | st.binary(max_size=80))
def test_struct_and_scapy_give_the_same_verdict(payload: bytes) -> None:
    verdicts: list[Decapsulated | None] = []
    for function in (decapsulate, geneve_layers.decapsulate):
        try:
            verdicts.append(function(payload))
        except MalformedPacket:
            verdicts.append(None)
    assert verdicts[0] == verdicts[1]
