"""A user's SQL, run in a process of its own that can read the lake, cannot write anything, and can be killed.

`SqlRunner` keeps one warm process for a long-lived service; `run_sql` starts one for a single statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

import pyarrow as pa

from gatewatch.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlResult:
    """A result: column names, DuckDB types, rows as Arrow, how long it took, and whether rows were cut off."""

    columns: list[str]
    types: list[str]
    table: pa.Table
    elapsed_s: float
    truncated: bool


class SqlError(Exception):
    """Why a statement gave no result.

    `kind` is one of `syntax`, `name`, `type`, `refused`, `time`, `memory`, `size`, `failed`; `line` and `column` count
    from 1 and are None when the place is unknown; `hint` says what to do and may be empty.
    """

    def __init__(
        self, message: str, *, kind: str = "failed", line: int | None = None, column: int | None = None, hint: str = ""
    ) -> None:
        super().__init__(message)
        self.message, self.kind, self.line, self.column, self.hint = message, kind, line, column, hint


class SqlRunner:
    """A warm process for statements, one at a time; it is replaced when a statement had to be killed."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is started before the first statement."""

    def run(self, sql: str) -> SqlResult:
        """Run one statement; raises `SqlError`.  Callers in other threads wait their turn."""
        raise AssertionError("filled in by the next change")

    def close(self) -> None:
        """End the process."""

    def __enter__(self) -> SqlRunner:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def run_sql(settings: Settings, sql: str) -> SqlResult:
    """Run one statement in a process started for it; raises `SqlError`."""
    with SqlRunner(settings) as runner:
        return runner.run(sql)
