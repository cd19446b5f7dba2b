"""Which HTTP status codes count as success: elbv2's `Matcher.HttpCode`, such as `200`, `200,202` or `200-399`."""

from __future__ import annotations

import re

_FORM = re.compile(r"\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*")


def parse_success_codes(text: str) -> frozenset[int]:
    """The codes that `text` names; `ValueError` says what was expected."""
    if not _FORM.fullmatch(text):
        raise ValueError(f"success codes are like 200, 200,202 or 200-399, not {text!r}")
    codes: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        codes.update(range(int(first), int(last or first) + 1))
    return frozenset(codes)
