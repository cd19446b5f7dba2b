"""Reads `tests/fixtures/sql/*.sql`: blocks of `-- expect ...` and the statement below."""

from __future__ import annotations

import re
from pathlib import Path

FIXTURES = Path(__file__).parents[1] / "fixtures" / "sql"


def blocks(name: str) -> list[tuple[str, str]]:
    """(What is expected, statement) of every block of a file."""
    text = (FIXTURES / name).read_text(encoding="utf-8")
    return [(match[1], match[2].strip()) for match in re.finditer(r"-- expect (.*)\n((?:(?!-- expect ).*\n?)+)", text)]
