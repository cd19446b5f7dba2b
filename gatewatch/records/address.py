"""Which texts are addresses: IPv4 in four decimal numbers without leading zeros, or IPv6 (RFC 4291, section 2.2)."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_pton


def is_address(text: str) -> bool:
    """Whether it is an IPv4 or IPv6 address; a zone (`fe80::1%eth0`) or a prefix length is no part of one."""
    for family in (AF_INET, AF_INET6):
        try:
            inet_pton(family, text)
        except (OSError, ValueError):  # ValueError: a NUL, or half a character
            continue
        return True
    return False
