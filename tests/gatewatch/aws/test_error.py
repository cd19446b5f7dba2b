"""Errors say whose fault they are."""

from __future__ import annotations

from gatewatch.aws.error import AwsError, invalid


def test_fault() -> None:
    assert (AwsError("A", "b").fault, AwsError("A", "b", 503).fault) == ("Sender", "Receiver")
    assert str(AwsError("A", "b")) == "A: b"
    assert (invalid("no").code, invalid("no").status) == ("ValidationError", 400)
