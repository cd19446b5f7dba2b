"""A result as text: every value as DuckDB itself prints it, and lists and structures once more as JSON.

DuckDB makes the text, while it still knows its own types; on the way through Arrow and Python an interval, a bit string, a
moment with nanoseconds or an endless date would become something else, or an error.  What is made of it (a table, CSV, JSON,
the console's grid) is `result_format`'s.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_NUMBER = re.compile(r"U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|BIGNUM|DOUBLE|FLOAT|DECIMAL\(.*\)")
#: `INTEGER[]`, `INTEGER[3]`, `STRUCT(…)`, `MAP(…)`, `UNION(…)`: values that hold values; JSON is JSON already.
_NESTED = re.compile(r".*\[\d*\]|(STRUCT|MAP|UNION)\(.*\)|JSON", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultText:
    """A result, column by column.  `columns` have names of their own; `types` are DuckDB's; `texts` are the values as DuckDB
    prints them, `json_texts` those of nested columns (by place) as JSON, in which infinite numbers stand bare.  NULL is None."""

    columns: list[str]
    types: list[str]
    texts: list[list[str | None]]
    json_texts: dict[int, list[str | None]]

    def __len__(self) -> int:
        return len(self.texts[0]) if self.texts else 0

    def records(self) -> list[dict[str, str | None]]:
        """Row by row, texts by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in zip(*self.texts, strict=True)]


def is_number(kind: str) -> bool:
    """Whether a DuckDB type is one of numbers."""
    return _NUMBER.fullmatch(kind) is not None


def is_nested(kind: str) -> bool:
    """Whether values of a DuckDB type hold values."""
    return _NESTED.fullmatch(kind) is not None


def result_of(
    relation: duckdb.DuckDBPyRelation, read: Callable[[pa.RecordBatchReader], pa.Table], batch_rows: int = 1_024
) -> ResultText:
    """Run a relation; `read` takes from its batches of texts what it wants.  Raises what DuckDB raises."""
    types = [str(kind) for kind in relation.types]
    texts = [f"#{place}::VARCHAR AS t{place - 1}" for place in range(1, len(types) + 1)]
    nested = [
        f"to_json(#{place})::VARCHAR AS j{place - 1}" for place, kind in enumerate(types, 1) if is_nested(kind)
    ]
    # By position: names may come twice, or be anything at all.
    rows = read(relation.project(", ".join(texts + nested)).to_arrow_reader(batch_rows))
    return ResultText(
        columns=unique_names(relation.columns), types=types,
        texts=[rows.column(f"t{place}").to_pylist() for place in range(len(types))],
        json_texts={place: rows.column(f"j{place}").to_pylist() for place, kind in enumerate(types) if is_nested(kind)},
    )


def result_of_table(table: pa.Table) -> ResultText:
    """The text of rows that are Arrow already."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET timezone = 'UTC'")
        # Arrow allows two columns of one name, DuckDB's relation does not.
        named = table.rename_columns([f"c{place}" for place in range(table.num_columns)])
        found = result_of(connection.from_arrow(named), lambda reader: reader.read_all())
    return replace(found, columns=unique_names(table.column_names))


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, a later one of the same name with the first number that is free: `a`, `a_1`, `a_2`."""
    taken, made = set(names), dict[str, None]()
    numbers: dict[str, Iterator[int]] = {}
    for name in names:
        if name not in made:
            made[name] = None
            continue
        free = (f"{name}_{number}" for number in numbers.setdefault(name, count(1)))
        other = next(each for each in free if each not in taken)
        taken.add(other)
        made[other] = None
    return list(made)
