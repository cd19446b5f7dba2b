"""ICMP echo messages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from forwarder.lab.echo import ECHO_REPLY, ECHO_REQUEST, Echo, pack_echo, read_echo

HEADER = bytes.fromhex("450000241234000040010000cb00710b0a00020b")


def test_a_message_as_the_standard_draws_it() -> None:
    message = pack_echo(Echo(ECHO_REQUEST, 0x0007, 1, b"gwlb"))
    assert message.hex() == "0800241e0007000167776c62"


@given(st.sampled_from([ECHO_REPLY, ECHO_REQUEST]), st.integers(0, 65_535), st.integers(0, 65_535), st.binary(max_size=99))
def test_what_is_packed_can_be_read(kind: int, identifier: int, sequence: int, payload: bytes) -> None:
    echo = Echo(kind, identifier, sequence, payload)
    assert read_echo(HEADER + pack_echo(echo)) == echo


@given(st.binary(max_size=64))
def test_any_bytes_give_a_message_or_none(packet: bytes) -> None:
    echo = read_echo(packet)
    assert echo is None or echo.type in (ECHO_REPLY, ECHO_REQUEST)


def test_a_damaged_message_is_none() -> None:
    message = bytearray(HEADER + pack_echo(Echo(ECHO_REQUEST, 7, 1, b"gwlb")))
    message[-1] ^= 1
    assert read_echo(bytes(message)) is None
    unreachable = bytes.fromhex("0301fcfe00000000")
    assert read_echo(HEADER + unreachable) is None
