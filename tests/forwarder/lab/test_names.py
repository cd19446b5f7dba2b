"""Names in a lab: what they look like, and that each comes of its thing alone."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from forwarder.lab.names import (
    DEVICE_CHARACTERS_MAX,
    FIRST_TABLE,
    TABLES,
    aws_id,
    device_name,
    mac_address,
    table_numbers,
)


def test_names_are_the_same_for_the_same_thing_and_others_for_another() -> None:
    assert re.fullmatch(r"vpc-0[0-9a-f]{16}", aws_id("gw", "vpc", "consumer"))
    assert aws_id("gw", "vpc", "consumer") == aws_id("gw", "vpc", "consumer") != aws_id("other", "vpc", "consumer")
    assert int(mac_address("gw", "gw-node", "vpce0")[:2], 16) & 3 == 2, "locally administered, unicast"


def test_a_device_has_a_name_that_fits_the_kernel() -> None:
    assert device_name("server-1", "i-0123456789abcdef0") == "server-1"
    assert device_name("", "i-0123456789abcdef0") == "3456789abcdef0"[-DEVICE_CHARACTERS_MAX:].rjust(15, "2")
    for name in ("a-name-that-is-too-long", "two words", "a/b"):
        assert device_name(name, "i-0123456789abcdef0") == "23456789abcdef0"


@given(st.sets(st.text(min_size=1, max_size=8), max_size=40))
def test_each_has_a_table_of_its_own(ids: set[str]) -> None:
    numbers = table_numbers(ids)
    assert len(set(numbers.values())) == len(ids)
    assert all(FIRST_TABLE <= number < FIRST_TABLE + TABLES for number in numbers.values())


def test_two_that_meet_are_told_apart() -> None:
    ids = [f"rtb-{number}" for number in range(TABLES // 10)]
    assert len(set(table_numbers(ids).values())) == len(ids)
