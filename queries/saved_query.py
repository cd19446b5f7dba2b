"""Saved queries: files of portable SQL under `saved/`, each with a header that says what it counts.

Header lines, in this order: `-- title:`, `-- about:` (may go on over several lines), `-- rows:` (which rows are
counted, and so what is not counted twice), `-- tables:`, then `-- column NAME: meaning` and
`-- parameter NAME (integer|number|text) = default: meaning`.  Every query has the parameters `start_s` and `end_s`
(epoch seconds, start included, end not), which also choose the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from queries.lake import Lake


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter: `type` is integer, number or text; `default` is None for `start_s` and `end_s`."""

    name: str
    type: str
    default: int | float | str | None
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedQuery:
    """A saved query.  `columns` maps each result column to its meaning; `sql` is the text below the header."""

    name: str
    title: str
    about: str
    rows: str
    tables: tuple[str, ...]
    columns: dict[str, str]
    parameters: tuple[Parameter, ...]
    sql: str


class BadParameter(ValueError):
    """A parameter the query does not have, or a value of the wrong type."""


def names() -> list[str]:
    """Names of all saved queries, sorted."""
    raise AssertionError("filled in by the next change")


def load(name: str) -> SavedQuery:
    """A saved query by name; `KeyError` lists the names there are."""
    raise AssertionError("filled in by the next change")


def run(
    lake: Lake, name: str, *, start_s: float, end_s: float, parameters: Mapping[str, int | float | str] | None = None
) -> pa.Table:
    """Run a saved query over a time range.  Text values are converted (they may come from a command line or a form).

    Raises `KeyError`, `BadParameter` and `QueryFailed`.
    """
    raise AssertionError("filled in by the next change")


def filled_in(query: SavedQuery, *, start_s: float, end_s: float) -> str:
    """The query as plain SQL with literals for parameters, to paste into the SQL page or another engine."""
    raise AssertionError("filled in by the next change")
