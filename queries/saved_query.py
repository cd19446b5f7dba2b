"""Saved queries: files of portable SQL under `saved/`, each with a header that says what it counts.

Header lines, in this order: `-- title:`, `-- about:` (may go on over several lines), `-- rows:` (which rows are
counted, and so what is not counted twice), `-- tables:`, then `-- column NAME: meaning` and
`-- parameter NAME (integer|number|text) = default: meaning`.  Every query has the parameters `start_s` and `end_s`
(epoch seconds, start included, end not), which also choose the files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from queries.lake import Lake

if TYPE_CHECKING:
    import pyarrow as pa

_FOLDER = resources.files("queries").joinpath("saved")
_SINGLE = ("title", "about", "rows", "tables")
_ENTRY = re.compile(r"-- ([^:]+):(.*)")
_PARAMETER = re.compile(r"(\w+) \((integer|number|text)\)( =)?(.*)")
_TYPES = {"integer": "a whole number", "number": "a number", "text": "a text"}


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
    return sorted(entry.name.removesuffix(".sql") for entry in _FOLDER.iterdir() if entry.name.endswith(".sql"))


def load(name: str) -> SavedQuery:
    """A saved query by name; `KeyError` lists the names there are."""
    if name not in names():
        raise KeyError(f"there is no saved query {name!r}; there are {', '.join(names())}")
    return parse(name, _FOLDER.joinpath(f"{name}.sql").read_text(encoding="utf-8"))


def parse(name: str, text: str) -> SavedQuery:
    """Read a saved query's file; `ValueError` says what its header lacks."""
    header = re.match(r"(?:--[^\n]*\n)+", text)
    entries = _entries(header.group() if header else "")
    single = {key: value for key, value in entries if key in _SINGLE}
    missing = [key for key in _SINGLE if not single.get(key)]
    if missing:
        raise ValueError(f"saved query {name} lacks {', '.join(missing)} in its header")
    named = [(key.split(maxsplit=1), value) for key, value in entries if key not in _SINGLE]
    parameters = tuple(_parameter(name, parts[1], value) for parts, value in named if parts[0] == "parameter")
    if [each.name for each in parameters[:2]] != ["start_s", "end_s"]:
        raise ValueError(f"saved query {name} does not begin its parameters with start_s and end_s")
    return SavedQuery(
        name=name, title=single["title"], about=single["about"], rows=single["rows"],
        tables=tuple(each.strip() for each in single["tables"].split(",")), parameters=parameters,
        columns={parts[1]: value for parts, value in named if parts[0] == "column"},
        sql=text[header.end() if header else 0:].strip(),
    )


def _entries(header: str) -> list[tuple[str, str]]:
    """`-- key: value` lines with the lines that go on (`--   more`) joined to them."""
    joined = re.sub(r"\n--\s{2,}", " ", header)
    return [
        (match[1].strip(), match[2].strip()) for line in joined.splitlines() if (match := _ENTRY.fullmatch(line))
    ]


def _parameter(query: str, text: str, meaning: str) -> Parameter:
    match = _PARAMETER.fullmatch(text)
    if match is None:
        raise ValueError(f"saved query {query}: not a parameter: {text}")
    name, type_, equals, default = match[1], match[2], match[3], match[4].strip()
    return Parameter(
        name=name, type=type_, meaning=meaning, default=_value(name, type_, default) if equals else None
    )


def _value(name: str, type_: str, value: int | float | str) -> int | float | str:
    try:
        if type_ == "text":
            return str(value)
        return int(value) if type_ == "integer" else float(value)
    except ValueError:
        raise BadParameter(f"parameter {name} is {value!r}; it takes {_TYPES[type_]}") from None


def run(
    lake: Lake, name: str, *, start_s: float, end_s: float, parameters: Mapping[str, int | float | str] | None = None
) -> pa.Table:
    """Run a saved query over a time range.  Text values are converted (they may come from a command line or a form).

    Raises `KeyError`, `BadParameter` and `QueryFailed`.
    """
    query = load(name)
    values = _values(query, start_s=start_s, end_s=end_s, given=parameters or {})
    return lake.fetch(query.sql, values, tables=query.tables, start_s=start_s, end_s=end_s)


def _values(
    query: SavedQuery, *, start_s: float, end_s: float, given: Mapping[str, int | float | str]
) -> dict[str, int | float | str]:
    own = {each.name: each for each in query.parameters}
    for name in given:
        if name not in own or own[name].default is None:
            known = ", ".join(each.name for each in query.parameters if each.default is not None) or "none"
            raise BadParameter(f"{query.name} has no parameter {name}; it has {known}")
    values = {name: _value(name, own[name].type, value) for name, value in given.items()}
    defaults = {each.name: each.default for each in query.parameters if each.default is not None}
    return {**defaults, **values, "start_s": start_s, "end_s": end_s}


def filled_in(
    query: SavedQuery, *, start_s: float, end_s: float, parameters: Mapping[str, int | float | str] | None = None
) -> str:
    """The query as plain SQL with literals for parameters, to paste into the SQL page or another engine."""
    values = _values(query, start_s=start_s, end_s=end_s, given=parameters or {})
    return re.sub(r"\$(\w+)", lambda match: _literal(values[match[1]]), query.sql)


def _literal(value: int | float | str) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
