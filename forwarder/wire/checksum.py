"""The Internet checksum (RFC 1071)."""

from __future__ import annotations


def internet_checksum(data: bytes) -> int:
    """The checksum field that makes `data` (with the field zero) sum to 0xFFFF; an odd last byte is padded with zero.

    A sum with end-around carry is the number modulo 0xFFFF, where 0xFFFF stands for every non-zero multiple.
    """
    number = int.from_bytes(data + b"\0" if len(data) % 2 else data, "big")
    if number == 0:
        return 0xFFFF
    return (0xFFFF - number % 0xFFFF) % 0xFFFF
