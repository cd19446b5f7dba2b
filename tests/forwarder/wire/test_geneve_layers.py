"""The scapy layers: dissect what the balancer sends, build what an appliance returns, and tshark reads the same."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

from forwarder.wire.geneve_codec import Encapsulation, cookie_option, encapsulate
from forwarder.wire.geneve_layers import (
    AttachmentOption,
    CookieOption,
    EndpointOption,
    Geneve,
    GeneveOption,
    ScapyCodec,
    outer_packet,
)
from forwarder.wire.inner_packet import classify
from forwarder.wire.malformed_packet import MalformedPacket
from tests.forwarder.wire.packets import SYN, tcp

FIXTURES = Path(__file__).parents[2] / "fixtures" / "packets"
EXAMPLES = json.loads((FIXTURES / "geneve_examples.json").read_text(encoding="utf-8"))
MALFORMED = json.loads((FIXTURES / "malformed_headers.json").read_text(encoding="utf-8"))
FLOW = Encapsulation(
    bytes((10, 1, 0, 20)), bytes((10, 1, 0, 50)), 60_123, 0x0A1B2C3D4E5F6071, 0x1122334455667788, 0xDEADBEEF, 0x0800
)


def test_an_outer_packet_is_dissected_down_to_the_inner_one() -> None:
    packet = IP(bytes.fromhex(EXAMPLES[0]["outer"]))
    assert (packet[UDP].dport, packet[Geneve].protocol) == (6081, 0x0800)
    assert [type(option) for option in packet[Geneve].options] == [EndpointOption, AttachmentOption, CookieOption]
    assert packet[EndpointOption].endpoint_number == 0x0A1B2C3D4E5F6071
    assert packet[AttachmentOption].attachment_number == 0x1122334455667788
    assert packet[CookieOption].cookie == 0xDEADBEEF
    assert (packet[IP:2].dst, packet[TCP].dport) == ("203.0.113.7", 443)
    assert IP(bytes.fromhex(EXAMPLES[1]["outer"]))[IPv6].dst == "2001:db8:ffff::7"


def test_dissected_and_built_again_it_is_the_same() -> None:
    for example in EXAMPLES:
        outer = bytes.fromhex(example["outer"])
        packet = IP(outer)
        packet.clear_cache()
        assert bytes(packet) == outer


def test_an_unknown_option_keeps_its_reserved_bits_and_gets_its_length() -> None:
    option = GeneveOption(option_class=0x0103, type=7, reserved=5, data=b"12345678")
    assert bytes(option) == bytes.fromhex("010307a2") + b"12345678"
    header = Geneve(bytes(Geneve(options=[option, CookieOption(cookie=5)])))
    assert header.option_words == 5
    assert (header.options[0].data, header.options[1].cookie) == (b"12345678", 5)


def test_an_amazon_option_of_another_length_is_shown_as_a_plain_one() -> None:
    header = Geneve(bytes.fromhex("0200080000000000" "0108010112345678"))
    assert type(header.options[0]) is GeneveOption
    assert header.options[0].data == bytes.fromhex("12345678")


def test_the_codec_of_layers_does_what_the_fast_one_does() -> None:
    inner = tcp("10.0.1.10", 40_000, "203.0.113.7", 443, SYN)
    outer = ScapyCodec.header(FLOW).encapsulate(inner, FLOW.source_port, cookie_option(FLOW.cookie))
    assert outer == encapsulate(FLOW, inner) == bytes(outer_packet(FLOW, inner))
    assert ScapyCodec.decapsulate(outer[28:]) == (FLOW.endpoint_number, FLOW.attachment_number, FLOW.cookie, 0x0800, 40)
    assert ScapyCodec.classify(inner) == classify(inner)


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case["title"])
def test_a_broken_header_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(MalformedPacket):
        ScapyCodec.decapsulate(bytes.fromhex(case["payload"]))


FIELDS = (
    "ip.src", "ip.dst", "ip.len", "ip.checksum.status", "udp.srcport", "udp.dstport", "udp.length", "geneve.version",
    "geneve.vni", "geneve.proto_type", "geneve.option.class", "geneve.option.type", "geneve.option.unknown.data",
    "geneve.option.length", "tcp.dstport", "icmpv6.type", "_ws.malformed",
)


def tshark(capture: Path) -> list[dict[str, list[str]]]:
    """What tshark reads in each packet: the values of every field, outer first."""
    command = ["tshark", "-r", str(capture), "-T", "fields", "-E", "separator=|", "-o", "ip.check_checksum:TRUE"]
    for name in FIELDS:
        command += ["-e", name]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [
        {name: value.split(",") if value else [] for name, value in zip(FIELDS, line.split("|"), strict=True)}
        for line in result.stdout.splitlines()
    ]


@pytest.mark.tshark
def test_tshark_reads_what_was_meant(tmp_path: Path) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    capture = tmp_path / "geneve.pcap"
    inner = tcp("10.0.1.10", 40_000, "203.0.113.7", 443, SYN)
    packets = [encapsulate(FLOW, inner), *(bytes.fromhex(example["outer"]) for example in EXAMPLES)]
    wrpcap(str(capture), [Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(packet) for packet in packets])
    for packet, read in zip(packets, tshark(capture), strict=True):
        check_tshark(packet, read)


def check_tshark(packet: bytes, read: dict[str, list[str]]) -> None:
    expected: dict[str, Any] = {
        "udp.dstport": ["6081"], "geneve.version": ["0"], "geneve.vni": ["0x000000"],
        "geneve.option.class": ["0x0108"] * 3, "geneve.option.type": ["0x01", "0x02", "0x03"],
        "geneve.option.length": ["32", "12", "12", "8"], "_ws.malformed": [],
        "geneve.option.unknown.data": ["0a1b2c3d4e5f6071", "1122334455667788", "deadbeef"],
    }
    assert {name: read[name] for name in expected} == expected
    assert read["ip.len"][0] == str(len(packet))
    assert read["udp.length"][0] == str(len(packet) - 20)
    assert read["udp.srcport"] == [str(int.from_bytes(packet[20:22], "big"))]
    assert read["ip.checksum.status"][0] == "1", "1 is good"
    assert read["ip.src"][0] == ".".join(map(str, packet[12:16]))
    inner_is_ipv4 = packet[68] >> 4 == 4
    assert read["geneve.proto_type"] == ["0x0800" if inner_is_ipv4 else "0x86dd"]
    assert (read["tcp.dstport"], read["icmpv6.type"]) == ((["443"], []) if inner_is_ipv4 else ([], ["128"]))
