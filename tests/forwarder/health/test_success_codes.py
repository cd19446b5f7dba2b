"""The matcher of an HTTP health check."""

from __future__ import annotations

import pytest

from forwarder.health.success_codes import parse_success_codes


@pytest.mark.parametrize(("text", "inside", "outside"), [
    ("200", {200}, {199, 201}),
    ("200,202", {200, 202}, {201}),
    ("200-399", {200, 301, 399}, {199, 400}),
    ("200-204,301", {204, 301}, {205, 300, 302}),
])
def test_codes_lists_and_ranges(text: str, inside: set[int], outside: set[int]) -> None:
    codes = parse_success_codes(text)
    assert inside <= codes
    assert not outside & codes


@pytest.mark.parametrize("text", ["", "20", "200-", "200;202", "ok", "200, 202"])
def test_anything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="success codes are like"):
        parse_success_codes(text)
