"""The formats of a result: CSV, JSON lines, and values for a browser's grid.  Nothing is lost, and each is valid.

- **CSV** (RFC 4180): NULL is nothing at all, an empty text is `""`, all else is DuckDB's own text.
- **JSON lines** (RFC 8259): numbers are numbers with all their digits (readers that keep 53 bits round the larger ones);
  infinite ones, which JSON does not have, are the texts `"Infinity"`, `"-Infinity"` and `"NaN"`; truth values, lists and
  structures are JSON's, everything else is DuckDB's own text.
- **grid**: a number where a browser shows and sorts the same one, else the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from queries.result_text import ResultText, is_nested, is_number

_QUOTED_IN_CSV = re.compile(r'[",\r\n]|^$|^\s|\s$')
_NOT_FINITE = {"inf": '"Infinity"', "-inf": '"-Infinity"', "nan": '"NaN"', "-nan": '"NaN"'}
_MAY_NOT_BE_FINITE = re.compile(r"Infinity|NaN")
#: What a browser's number keeps: fifteen digits, and no exponent, which it writes otherwise.
_BROWSER_NUMBER = re.compile(r"-?(?=(?:[0-9.]{1,16}$))(0|[1-9][0-9]*)(\.[0-9]*[1-9])?")
_BROWSER_DIGITS_MAX = 15


def csv_lines(result: ResultText) -> Iterator[str]:
    """The heading and every row, without line ends."""
    yield ",".join(map(_csv_cell, result.columns))
    for row in zip(*result.texts, strict=True):
        yield ",".join(map(_csv_cell, row))


def _csv_cell(text: str | None) -> str:
    if text is None:
        return ""
    return '"' + text.replace('"', '""') + '"' if _QUOTED_IN_CSV.search(text) else text


def json_lines(result: ResultText) -> Iterator[str]:
    """Every row as one object."""
    names = [json.dumps(name, ensure_ascii=False) for name in result.columns]
    for row in zip(*(_json_values(result, place) for place in range(len(names))), strict=True):
        yield "{" + ", ".join(f"{name}: {value}" for name, value in zip(names, row, strict=True)) + "}"


def _json_values(result: ResultText, place: int) -> list[str]:
    kind = result.types[place]
    if is_nested(kind):
        return [_nested(text) for text in result.json_texts[place]]
    texts = result.texts[place]
    if is_number(kind):
        return ["null" if text is None else _NOT_FINITE.get(text, text) for text in texts]
    if kind == "BOOLEAN":
        return [text or "null" for text in texts]
    return [json.dumps(text, ensure_ascii=False) for text in texts]


def _nested(text: str | None) -> str:
    if text is None:
        return "null"
    # Only where the words may be numbers and no texts is it read and written anew.
    return json.dumps(json.loads(text, parse_constant=str), ensure_ascii=False) if _MAY_NOT_BE_FINITE.search(text) else text


def grid_values(result: ResultText, place: int) -> Sequence[str | float | bool | None]:
    """A column's values for a browser."""
    texts = result.texts[place]
    if is_number(result.types[place]):
        return [text if text is None else _browser_number(text) for text in texts]
    return texts


def _browser_number(text: str) -> str | float:
    if not _BROWSER_NUMBER.fullmatch(text) or sum(map(str.isdigit, text)) > _BROWSER_DIGITS_MAX:
        return text
    return float(text) if "." in text else int(text)
