"""Which texts are addresses, against the standard library's own reading."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.records.address import is_address


@pytest.mark.parametrize("text", ["0.0.0.0", "255.255.255.255", "::", "2001:db8::1", "::ffff:10.0.0.1", "FE80::1"])
def test_addresses_of_either_family(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize("text", ["", "-", "999.1.1.1", "1.2.3", "01.2.3.4", "1.2.3.4/8", "fe80::1%eth0",
                                  "1.2.3.4\0", " ::1", "é", "\ud800"])
def test_everything_else_is_none(text: str) -> None:
    assert not is_address(text)


@given(st.one_of(st.ip_addresses().map(str), st.text("0123456789abcdef:.%/", max_size=20)))
def test_agrees_with_the_standard_library(text: str) -> None:
    try:
        expected = "%" not in str(ip_address(text))
    except ValueError:
        expected = False
    assert is_address(text) == expected
