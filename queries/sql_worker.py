"""The process that runs users' SQL (`python -m queries.sql_worker`): requests on standard input, answers on output.

It speaks as `sql_messages` says, and ends when standard input does.

What stops a statement from doing harm, from the outside in: the kernel lets this process write no byte to any file
(RLIMIT_FSIZE 0); DuckDB may open nothing outside the lake's folder, spill nothing, load nothing and change no setting;
time and memory are limited by DuckDB, and by the parent, which kills; `sql_check` lets only reading statements through.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # Arrow and DuckDB import NumPy where there is one.  Nothing here uses it, and it is a fifth of the start.
    sys.modules["numpy"] = None  # type: ignore[assignment]

import duckdb
import msgspec
import pyarrow as pa

from queries.lake import TableFiles, view_sql
from queries.result_text import result_of
from queries.sql_check import Checked, check, place
from queries.sql_error import SqlError
from queries.sql_messages import Answer, Failure, Request, WorkerSettings, read_message, write_message

#: Most bytes of rows in one answer; what goes beyond is cut off like rows are.
ANSWER_BYTES_MAX = 64 << 20

#: Most characters of an error's message: DuckDB repeats the text it could not read, which may be many MB.
MESSAGE_CHARACTERS_MAX = 2_000

#: Rows that are taken from a running query at once.
BATCH_ROWS_MAX = 1_024

_POSITION_DIGITS_MAX = 10


def sandbox(settings: WorkerSettings) -> duckdb.DuckDBPyConnection:
    """A database that can read below the lake's folder and do nothing else."""
    database = duckdb.connect()
    for statement in (
        "SET GLOBAL timezone = 'UTC'",
        "SET GLOBAL python_enable_replacements = false",
        "SET GLOBAL errors_as_json = true",
        "SET GLOBAL autoinstall_known_extensions = false",
        "SET GLOBAL autoload_known_extensions = false",
        "SET GLOBAL temp_directory = ''",
        f"SET GLOBAL memory_limit = '{settings.memory_mb}MB'",
        f"SET GLOBAL max_execution_time = {max(1, round(settings.time_s * 1000))}",
        f"SET GLOBAL allowed_directories = ['{settings.folder.replace(chr(39), chr(39) * 2)}/']",
        "SET GLOBAL enable_external_access = false",
        "SET GLOBAL lock_configuration = true",
    ):
        database.execute(statement)
    return database


def answer(database: duckdb.DuckDBPyConnection, settings: WorkerSettings, request: Request) -> Answer:
    """Run one statement.  Never raises for what the statement is or does."""
    began_s = time.perf_counter()
    connection = database.cursor()
    try:
        checked = check(connection, request.sql)
        for table in checked.tables:
            connection.execute(view_sql(TableFiles(table=table, paths=tuple(request.files.get(table, ())))))
        relation = _relation(connection, checked)
        assert relation is not None, "a statement that reads has a result"
        cut = _Cut(settings.rows_max)
        result = result_of(relation, cut.rows, BATCH_ROWS_MAX)
    except SqlError as error:
        failure = _memory_failure(settings) if error.kind == "memory" else Failure(
            message=error.message[:MESSAGE_CHARACTERS_MAX], kind=error.kind, line=error.line, column=error.column,
            hint=error.hint,
        )
        return Answer(failure=failure)
    except duckdb.Error as error:
        return Answer(failure=failure_of(error, request.sql, settings))
    except OSError as error:
        return Answer(failure=failure_of(error, request.sql, settings))
    except MemoryError:
        return Answer(failure=_memory_failure(settings))
    finally:
        connection.close()
    return Answer(
        columns=result.columns, types=result.types, texts=result.texts, json_texts=result.json_texts,
        elapsed_s=time.perf_counter() - began_s, truncated=cut.truncated,
    )


class _Cut:
    """Takes rows until there are enough of them, or of their bytes; `truncated` says whether some were left."""

    def __init__(self, rows_max: int) -> None:
        self._rows_max = rows_max
        self.truncated = False

    def rows(self, reader: pa.RecordBatchReader) -> pa.Table:
        """The rows; `SqlError` if not even the first batch has room."""
        batches: list[pa.RecordBatch] = []
        rows = size_bytes = 0
        for batch in reader:
            taken = batch.slice(0, self._rows_max - rows)
            size_bytes += taken.nbytes
            if size_bytes > ANSWER_BYTES_MAX and not batches:
                raise SqlError(
                    f"{taken.num_rows} rows are larger than {ANSWER_BYTES_MAX >> 20} MB", kind="size",
                    hint="select fewer columns or shorter texts",
                )
            self.truncated = size_bytes > ANSWER_BYTES_MAX or taken.num_rows < batch.num_rows
            if size_bytes <= ANSWER_BYTES_MAX:
                batches.append(taken)
                rows += taken.num_rows
            if self.truncated:
                break
        return pa.Table.from_batches(batches, schema=reader.schema)


def _relation(connection: duckdb.DuckDBPyConnection, checked: Checked) -> duckdb.DuckDBPyRelation | None:
    """The statement, not run yet.  A relation's error names no place where a name is wrong, so that error is asked for again
    as a statement's, which does not begin to run either."""
    try:
        return connection.sql(checked.runs)
    except (duckdb.BinderException, duckdb.CatalogException):
        connection.execute(checked.runs)
        raise


_KINDS: Sequence[tuple[type[duckdb.Error], str]] = (
    (duckdb.ParserException, "syntax"), (duckdb.SyntaxException, "syntax"), (duckdb.CatalogException, "name"),
    (duckdb.BinderException, "name"), (duckdb.PermissionException, "refused"), (duckdb.InterruptException, "time"),
    (duckdb.OutOfMemoryException, "memory"), (duckdb.ConversionException, "type"), (duckdb.OutOfRangeException, "type"),
    (duckdb.TypeMismatchException, "type"), (duckdb.InvalidInputException, "type"), (duckdb.IOException, "file"),
)


#: While rows are taken Arrow hands DuckDB's errors on as an OSError, whose text begins with their kind.
_KINDS_OF_TEXT = (
    ("Out of Memory", "memory"), ("INTERRUPT", "time"), ("Conversion", "type"), ("Out of Range", "type"),
    ("Invalid Input", "type"), ("IO", "file"),
)


def _kind_of(error: duckdb.Error | OSError) -> str:
    if isinstance(error, duckdb.Error):
        return next((name for type_, name in _KINDS if isinstance(error, type_)), "failed")
    text = str(error)
    if "bad_alloc" in text:
        return "memory"
    if "Arrow Appender" in text:  # more text in a column of one batch than Arrow counts
        return "size"
    return next((name for begin, name in _KINDS_OF_TEXT if text.startswith(begin)), "failed")


def failure_of(error: duckdb.Error | OSError, sql: str, settings: WorkerSettings) -> Failure:
    """DuckDB's error, which is a JSON text here, as ours."""
    kind = _kind_of(error)
    if kind == "time":
        return Failure(
            message=f"the query took longer than {settings.time_s:g} s", kind=kind,
            hint="choose a shorter time range or fewer groups",
        )
    detail = _detail(str(error))
    message, _, rest = str(detail.get("exception_message", error)).partition("\n")
    if kind == "memory":
        return _memory_failure(settings)
    # A user's own `error('{...}')` can look like a detail of DuckDB's.
    position = str(detail.get("position", ""))
    known = position.isascii() and position.isdigit() and len(position) < _POSITION_DIGITS_MAX
    line, column = place(sql, int(position)) if known else (None, None)
    return Failure(
        message=message[:MESSAGE_CHARACTERS_MAX], kind=kind, line=line, column=column,
        hint=rest.strip()[:MESSAGE_CHARACTERS_MAX],
    )


def _memory_failure(settings: WorkerSettings) -> Failure:
    return Failure(
        message=f"the query needs more than {settings.memory_mb} MB of memory", kind="memory",
        hint="choose a shorter time range, fewer groups, or no ORDER BY without LIMIT",
    )


def _detail(text: str) -> dict[str, Any]:
    begin = text.find("{")
    try:
        detail = json.loads(text[begin:]) if begin >= 0 else {}
    except (ValueError, RecursionError):
        return {}
    return detail if isinstance(detail, dict) else {}


def _limit_process(memory_mb: int) -> None:
    """Have the kernel refuse bytes in files, core files, and memory that DuckDB does not account for."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # DuckDB counts its buffers but not every text it makes; twice the limit leaves it room for what it does count.
    data_bytes = next(
        int(line.split()[1]) * 1024 for line in Path("/proc/self/status").read_text().splitlines() if "VmData" in line
    )
    limit_bytes = data_bytes + (2 * memory_mb << 20) + ANSWER_BYTES_MAX
    resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))


def main() -> None:
    """Answer requests until standard input ends."""
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    first = read_message(stdin)
    if first is None:
        return
    settings = msgspec.msgpack.decode(first, type=WorkerSettings)
    database = sandbox(settings)
    _limit_process(settings.memory_mb)
    # Says that the process is ready: what comes now is counted as the statement's time.
    write_message(stdout, b"")
    while (body := read_message(stdin)) is not None:
        # Files are named from here, so that no plan, no view and no error tells where the server keeps them.
        with contextlib.suppress(OSError):  # there is no lake yet: no file will be asked for either
            os.chdir(settings.folder)
        write_message(stdout, msgspec.msgpack.encode(answer(database, settings, msgspec.msgpack.decode(body, type=Request))))


if __name__ == "__main__":
    main()
