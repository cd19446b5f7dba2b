"""The lake as DuckDB sees it: a view for each table over exactly the files that the manifest lists.

The list is taken in one reading of the manifest, so a query sees whole batches or nothing of them; folders are never
listed.  The writer deletes merged or expired files some time after it took them from the manifest; a reader that was
slower than that opens a missing file and starts again with a new list, a bounded number of times.

Views have the table's own columns (AWS's names in `flow_logs`).  `flow_logs` also gets `start_time` and `end_time`,
which are `start` and `end` as timestamps, since people otherwise convert them in every query; saved queries do not use
them, because other engines read the files and not this view.  Timestamps and `date_trunc` are UTC.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatewatch.records.tables import FLOW_LOGS, TABLES, Table
from gatewatch.refusal import Refusal
from ingest.manifest import Manifest

if TYPE_CHECKING:
    import duckdb  # at run time where a question is asked: the list of files is read without it
    import pyarrow as pa

#: How often a query is started again because a file went away under it.
ATTEMPTS_MAX = 3

#: Memory of the queries of one process of ours (a user's own SQL has `sql_memory_mb`).
MEMORY_MB_MAX = 2_048

#: Questions to one DuckDB database before another takes its place.  Each leaves some kB behind that only its end gives back:
#: after 12,000 a process has 156 MB, with this 121 MB.
QUESTIONS_MAX = 200

#: What `read_parquet` takes as a pattern; in brackets it stands for itself.
_GLOB = re.compile(r"([*?\[])")

_DUCKDB_TYPES = {
    "string": "VARCHAR", "int32": "INTEGER", "int64": "BIGINT", "float64": "DOUBLE", "bool": "BOOLEAN", "binary": "BLOB",
    "time_ms": "TIMESTAMP WITH TIME ZONE",
}


class QueryFailed(Refusal):
    """A question the lake could not answer: manifest unreadable, file broken, query wrong.  Not the same as no data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFiles:
    """The files of one table that a query shall read; none means an empty table."""

    table: str
    paths: tuple[str, ...]


def column_types(table: Table) -> dict[str, str]:
    """DuckDB type by column of a table, without the view's own additions."""
    return {name: _DUCKDB_TYPES[kind] for name, kind in table.columns.items()}


def view_sql(files: TableFiles) -> str:
    """The statement that makes the view of a table over these files, in the connection's own temporary schema."""
    types = column_types(TABLES[files.table])
    if files.paths:
        columns = ", ".join(f'"{name}"' for name in types)
        listed = ", ".join(_quoted(_GLOB.sub(r"[\1]", path)) for path in files.paths)
        source = f"SELECT {columns} FROM {_files(TABLES[files.table], types, listed)}"
    else:
        columns = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in types.items())
        source = f"SELECT {columns} WHERE false"
    if files.table == FLOW_LOGS.name:
        source = f'SELECT *, to_timestamp("start") AS start_time, to_timestamp("end") AS end_time FROM ({source})'
    return f'CREATE OR REPLACE TEMP VIEW "{files.table}" AS {source}'


def _files(table: Table, types: Mapping[str, str], listed: str) -> str:
    """The files' rows; where the table has a column that files of older versions lack, with it all the same."""
    if table.since_column is None:
        return f"read_parquet([{listed}], hive_partitioning = false)"
    return (
        f"(SELECT * FROM read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"
        f' UNION ALL BY NAME SELECT NULL::{types[table.since_column]} AS "{table.since_column}" WHERE false)'
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class Lake:
    """Questions to the lake of one data folder.  Safe to use from several threads; holds no lock between questions."""

    def __init__(self, data: Path) -> None:
        """`data` is the data folder; it need not exist yet, tables are empty until ingest has published a file."""
        self.data = data
        self._lock = threading.Lock()
        self._database: duckdb.DuckDBPyConnection | None = None
        self._questions = 0

    @property
    def manifest_path(self) -> Path:
        """Where ingest keeps the list of files."""
        return self.data / "manifest.sqlite"

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.data / "lake"

    def files(
        self, tables: Sequence[str], *, start_s: float | None = None, end_s: float | None = None
    ) -> list[TableFiles]:
        """Files of these tables that may hold rows with `start_s <= time < end_s` (epoch seconds; None: no bound)."""
        manifest = Manifest.open_for_reading(self.manifest_path)
        try:
            listed = {table: manifest.files(table, start_s=start_s, end_s=end_s) for table in tables}
        except sqlite3.Error as error:
            raise QueryFailed(f"the list of files {self.manifest_path} cannot be read: {error}") from error
        return [TableFiles(table=table, paths=tuple(str(path) for path in paths)) for table, paths in listed.items()]

    def connection(
        self, tables: Sequence[str] | None = None, *, start_s: float | None = None, end_s: float | None = None
    ) -> duckdb.DuckDBPyConnection:
        """A connection of the caller's own (close it) with a view for each of `tables` (default: all).

        Raises `QueryFailed` for an unreadable manifest and `duckdb.IOException` for an unreadable file.
        """
        return self._connect(self.files(list(TABLES) if tables is None else tables, start_s=start_s, end_s=end_s))

    def fetch(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        tables: Sequence[str],
        start_s: float | None = None,
        end_s: float | None = None,
    ) -> pa.Table:
        """Run trusted SQL with `$name` parameters over `tables` and return the whole result.

        `start_s` and `end_s` only choose files: the SQL must still filter rows.  Raises `QueryFailed`.
        """
        import duckdb

        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                with self.connection(tables, start_s=start_s, end_s=end_s) as connection:
                    return connection.sql(sql, params=dict(parameters or {})).to_arrow_table()
            except duckdb.IOException as error:
                if attempt == ATTEMPTS_MAX:
                    raise QueryFailed(f"a file of the lake cannot be read: {error}") from error
            except duckdb.Error as error:
                raise QueryFailed(str(error)) from error
        raise AssertionError("the loop returns or raises")

    def close(self) -> None:
        """Give the memory back; the next question starts afresh."""
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def _connect(self, files: Sequence[TableFiles]) -> duckdb.DuckDBPyConnection:
        import duckdb

        with self._lock:
            self._questions += 1
            if self._database is not None and self._questions > QUESTIONS_MAX:
                # Let go, and not closed, which would close the connections of questions under way too.
                self._database = None
            if self._database is None:
                self._database, self._questions = _open_database(), 1
            connection = self._database.cursor()
        try:
            for each in files:
                connection.execute(view_sql(each))
        except duckdb.Error:
            connection.close()
            raise
        return connection


def _open_database() -> duckdb.DuckDBPyConnection:
    import duckdb

    database = duckdb.connect()
    for setting in (
        "timezone = 'UTC'",
        f"memory_limit = '{MEMORY_MB_MAX}MB'",
        "temp_directory = ''",
        "python_enable_replacements = false",
    ):
        database.execute(f"SET GLOBAL {setting}")
    return database
