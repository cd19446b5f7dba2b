"""Columns as Arrow has them.  pyarrow takes a tenth of a second to import, so names of columns and types do without it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

#: Names of column types.  `time_ms`: a UTC timestamp in milliseconds.
TYPES = ("string", "int32", "int64", "float64", "bool", "binary", "time_ms")


def arrow_schema(columns: Mapping[str, str]) -> pa.Schema:
    """The schema of columns whose types are named as in `TYPES`."""
    return _schema(tuple(columns.items()))


@cache
def _schema(columns: tuple[tuple[str, str], ...]) -> pa.Schema:
    import pyarrow as pa

    types = {
        "string": pa.string(), "int32": pa.int32(), "int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_(),
        "binary": pa.binary(), "time_ms": pa.timestamp("ms", tz="UTC"),
    }
    assert set(types) == set(TYPES)
    return pa.schema([(name, types[kind]) for name, kind in columns])
