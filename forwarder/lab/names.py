"""Names in a lab, each the same for the same lab and thing: AWS ids, MAC addresses, devices, Linux route tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from zlib import crc32

#: The longest name of a device (IFNAMSIZ without the closing zero).
DEVICE_CHARACTERS_MAX = 15
#: Linux route tables: above those the kernel has names for.
FIRST_TABLE, TABLES = 1_000, 9_000


def aws_id(lab: str, prefix: str, name: str) -> str:
    """An id as AWS writes it: prefix and 17 hexadecimal digits, the first 0."""
    return f"{prefix}-0{hashlib.sha256(f'{lab}/{prefix}/{name}'.encode()).hexdigest()[:16]}"


def mac_address(lab: str, namespace: str, device: str) -> str:
    """A locally administered unicast MAC address."""
    digits = hashlib.sha256(f"{lab}/{namespace}/{device}".encode()).hexdigest()[:10]
    return "0a:" + ":".join(digits[place:place + 2] for place in range(0, 10, 2))


def device_name(name: str, thing_id: str) -> str:
    """What a thing's link is called at its router: its name where that fits the kernel, else the end of its id."""
    fits = 0 < len(name) <= DEVICE_CHARACTERS_MAX and not set(name) & set("/: \t")
    return name if fits else thing_id[-DEVICE_CHARACTERS_MAX:]


def table_numbers(ids: Iterable[str]) -> dict[str, int]:
    """A Linux table for each of these.  It comes of the id alone, so that others may come and go; two that meet are told apart
    by their order."""
    numbers: dict[str, int] = {}
    taken: set[int] = set()
    for one in sorted(ids):
        number = crc32(one.encode()) % TABLES
        while number in taken:
            number = (number + 1) % TABLES
        taken.add(number)
        numbers[one] = FIRST_TABLE + number
    return numbers
