"""The Internet checksum against RFC 1071's own example, the plain loop and scapy."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from scapy.utils import checksum as scapy_checksum

from forwarder.wire.checksum import internet_checksum


def by_the_book(data: bytes) -> int:
    """RFC 1071 section 4.1: add 16-bit words, fold the carries, complement."""
    total = 0
    for place in range(0, len(data), 2):
        total += int.from_bytes(data[place:place + 2].ljust(2, b"\0"), "big")
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def test_the_rfc_example() -> None:
    assert internet_checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2


@given(st.binary(max_size=100))
def test_it_is_the_plain_sum_and_scapys(data: bytes) -> None:
    assert internet_checksum(data) == by_the_book(data) == scapy_checksum(data)


@given(st.integers(1, 50).map(lambda words: words * 2).flatmap(lambda size: st.binary(min_size=size, max_size=size)))
def test_data_with_its_checksum_in_place_sums_to_zero(data: bytes) -> None:
    assert internet_checksum(data + internet_checksum(data).to_bytes(2, "big")) == 0
