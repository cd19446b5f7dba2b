"""Which functions a user's SQL may call: those that look at their arguments alone.  Settings and the server's state are no data.

Two lists, together all functions of values that DuckDB has; a test compares them with the DuckDB that is installed, so that
one that comes anew is refused until somebody has looked at it.
"""

from __future__ import annotations

import difflib
from importlib import resources


def _names(file: str) -> frozenset[str]:
    text = resources.files("queries").joinpath(file).read_text(encoding="utf-8")
    return frozenset(name for line in text.splitlines() if not line.startswith("#") for name in line.split())


#: Table functions: they make rows of their arguments, or tell of the lake's tables and of SQL itself.  Not `duckdb_views`,
#: whose text names the files.
TABLE_FUNCTIONS = frozenset({
    "range", "generate_series", "unnest", "repeat", "repeat_row", "json_each", "json_tree", "pg_timezone_names",
    "duckdb_columns", "duckdb_functions", "duckdb_keywords", "duckdb_tables", "duckdb_types",
})
ALLOWED = _names("functions_allowed.txt") | {"is distinct from", "is not distinct from"}
REFUSED = _names("functions_refused.txt")


def like(name: str) -> str:
    """The allowed function whose name is nearest, empty if none is near."""
    return next(iter(difflib.get_close_matches(name, ALLOWED, n=1)), "")
