"""The error says what is wrong, to a program and to a person."""

from __future__ import annotations

from forwarder.wire.malformed_packet import MalformedPacket


def test_the_reason_is_the_message() -> None:
    error = MalformedPacket("TCP header cut short")
    assert (error.reason, str(error)) == ("TCP header cut short", "TCP header cut short")
    assert isinstance(error, ValueError)
