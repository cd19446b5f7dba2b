"""As much of DNS as the lab needs: a question for an address and its answer (RFC 1035, section 4)."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address
from typing import NamedTuple

_HEADER = struct.Struct("!HHHHHH")
_TYPE_A_CLASS_IN = b"\0\x01\0\x01"
_RESPONSE, _RECURSION_DESIRED, _AUTHORITATIVE = 0x8000, 0x0100, 0x0400
NAME_ERROR = 3
TTL_S = 60


class Question(NamedTuple):
    """A question for the IPv4 address of `name`."""

    identifier: int
    name: str


class BadMessage(ValueError):
    """Bytes that are not the message that was expected."""


def pack_question(question: Question) -> bytes:
    """The query message."""
    header = _HEADER.pack(question.identifier, _RECURSION_DESIRED, 1, 0, 0, 0)
    return header + _pack_name(question.name) + _TYPE_A_CLASS_IN


def read_question(message: bytes) -> Question:
    """The question of a query; `BadMessage` when it is none for an IPv4 address."""
    if len(message) < _HEADER.size:
        raise BadMessage("header cut short")
    identifier, flags, questions, *_ = _HEADER.unpack_from(message)
    if flags & _RESPONSE or questions != 1:
        raise BadMessage("not a query with one question")
    name, end = _read_name(message, _HEADER.size)
    if message[end:end + 4] != _TYPE_A_CLASS_IN:
        raise BadMessage("not a question for an IPv4 address")
    return Question(identifier, name)


def pack_answer(question: Question, address: str | None) -> bytes:
    """The response: the address, or that there is no such name."""
    found = address is not None
    flags = _RESPONSE | _AUTHORITATIVE | _RECURSION_DESIRED | (0 if found else NAME_ERROR)
    header = _HEADER.pack(question.identifier, flags, 1, int(found), 0, 0)
    message = header + _pack_name(question.name) + _TYPE_A_CLASS_IN
    if address is None:
        return message
    pointer_to_name = b"\xc0\x0c"  # section 4.1.4
    return message + pointer_to_name + _TYPE_A_CLASS_IN + struct.pack("!IH", TTL_S, 4) + IPv4Address(address).packed


def answers(message: bytes, question: Question) -> bool:
    """Whether the message is a response to this question, with or without an address."""
    return (
        len(message) >= _HEADER.size
        and message[2] & 0x80 != 0
        and int.from_bytes(message[:2], "big") == question.identifier
        and message[_HEADER.size:].startswith(_pack_name(question.name))
    )


def _pack_name(name: str) -> bytes:
    labels = [label.encode("ascii") for label in name.split(".")]
    if not all(1 <= len(label) <= 63 for label in labels) or sum(map(len, labels)) + len(labels) > 254:
        raise BadMessage(f"{name!r} is not a domain name")
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def _read_name(message: bytes, offset: int) -> tuple[str, int]:
    labels: list[str] = []
    while True:  # each turn moves on by at least one byte, or ends
        length = message[offset] if offset < len(message) else -1
        if length == 0:
            return ".".join(labels), offset + 1
        label = message[offset + 1:offset + 1 + length]
        if not 1 <= length <= 63 or len(label) != length or not label.isascii():
            raise BadMessage("the name is cut short, compressed or not ASCII")
        labels.append(label.decode("ascii"))
        offset += 1 + length
