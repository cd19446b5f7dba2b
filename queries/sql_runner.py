"""A user's SQL, run in a process of its own that can read the lake, cannot write anything, and can be killed.

`SqlRunner` keeps one warm process for a long-lived service; `run_sql` starts one for a single statement.  The limits
(`sql_time_s`, `sql_rows_max`, `sql_memory_mb`) are the settings'.  See `sql_worker` for what holds a statement back.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import msgspec

from gatewatch.records.tables import TABLES
from gatewatch.settings import Settings
from queries.lake import ATTEMPTS_MAX, Lake
from queries.result_text import ResultText
from queries.sql_error import SqlError
from queries.sql_messages import Answer, Request, WorkerSettings, write_message
from queries.worker_process import launch

__all__ = ["SqlError", "SqlResult", "SqlRunner", "run_sql"]

#: How long a process may take to start.
START_S_MAX = 20.0

#: Beyond `sql_time_s`, how long the process may take to notice that time is up, and to hand the rows over.
GRACE_S = 2.0

#: After these the process is replaced: memory it freed need not be free for the next statement, which would be told
#: that it needs too much; and what failed unexpectedly may have left DuckDB in any state.
_REPLACED_AFTER = ("memory", "failed")

_LENGTH_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlResult(ResultText):
    """A result as text, how long it took, and whether rows were cut off."""

    elapsed_s: float
    truncated: bool


class SqlRunner:
    """A warm process for statements, one at a time; it is replaced when a statement had to be killed."""

    def __init__(self, settings: Settings, launched: subprocess.Popen[bytes] | None = None) -> None:
        """Nothing is started before the first statement; `launched` (`worker_process`) is taken for that, if given."""
        self._launched = launched
        self._settings = settings
        self._lake = Lake(settings.data_path)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process now, so that the first statement does not wait for it."""
        with self._lock:
            self._running()

    def run(self, sql: str) -> SqlResult:
        """Run one statement; raises `SqlError`, and `QueryFailed` when the list of files cannot be read.

        Callers in other threads wait their turn.
        """
        try:
            sql.encode()
        except UnicodeEncodeError:
            raise SqlError("the statement contains half a character (a lone surrogate)", kind="syntax") from None
        with self._lock:
            for _ in range(ATTEMPTS_MAX):
                answer = self._ask(sql)
                if answer.failure is None or answer.failure.kind != "file":
                    break
            if answer.failure is not None and answer.failure.kind in _REPLACED_AFTER:
                self._kill()
        failure = answer.failure
        if failure is None:
            return SqlResult(
                columns=answer.columns, types=answer.types, texts=answer.texts, json_texts=answer.json_texts,
                elapsed_s=answer.elapsed_s, truncated=answer.truncated,
            )
        raise SqlError(
            failure.message, kind="failed" if failure.kind == "file" else failure.kind, line=failure.line,
            column=failure.column, hint=failure.hint,
        )

    def close(self) -> None:
        """End the process."""
        with self._lock:
            if self._launched is not None:
                self._process, self._launched = self._launched, None
            self._kill()

    def __enter__(self) -> SqlRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, sql: str) -> Answer:
        folder = f"{self._lake.folder}/"
        files = {each.table: [path.removeprefix(folder) for path in each.paths] for each in self._lake.files(list(TABLES))}
        process = self._running()
        assert process.stdin is not None, "the process was started with pipes"
        deadline_s = time.monotonic() + self._settings.sql_time_s + GRACE_S
        try:
            write_message(process.stdin, msgspec.msgpack.encode(Request(sql=sql, files=files)))
            return msgspec.msgpack.decode(_receive(process, deadline_s), type=Answer)
        except TimeoutError:
            self._kill()
            raise SqlError(
                f"the query took longer than {self._settings.sql_time_s:g} s and was killed", kind="time",
                hint="choose a shorter time range or fewer groups",
            ) from None
        except (EOFError, BrokenPipeError):
            code = process.wait()
            self._kill()
            raise SqlError(
                f"the process that ran the query ended (code {code})", kind="failed",
                hint="the machine may be short of memory" if code < 0 else "",
            ) from None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._kill()
            launched, self._launched = self._launched or launch(), None
            self._process = _ready(launched, self._settings)
        return self._process

    def _kill(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:  # what was still to be written is of no use to a dead process
                    continue
        self._process.wait()
        self._process = None


def _ready(process: subprocess.Popen[bytes], settings: Settings) -> subprocess.Popen[bytes]:
    """The process once it has its settings and has said that it is ready."""
    assert process.stdin is not None, "the process was started with pipes"
    told = WorkerSettings(
        folder=str(Path(settings.data_path / "lake").absolute()), time_s=settings.sql_time_s,
        rows_max=settings.sql_rows_max, memory_mb=settings.sql_memory_mb,
    )
    write_message(process.stdin, msgspec.msgpack.encode(told))
    try:
        _receive(process, time.monotonic() + START_S_MAX)
    except (TimeoutError, EOFError):
        process.kill()
        process.communicate()
        raise SqlError(f"the process for queries did not start within {START_S_MAX:g} s") from None
    return process


def _receive(process: subprocess.Popen[bytes], deadline_s: float) -> bytes:
    size = int.from_bytes(_read(process, _LENGTH_BYTES, deadline_s), "big")
    return _read(process, size, deadline_s)


def _read(process: subprocess.Popen[bytes], size: int, deadline_s: float) -> bytes:
    """Exactly `size` bytes of the answer; `TimeoutError` past the deadline, `EOFError` when the process ended."""
    assert process.stdout is not None, "the process was started with pipes"
    number = process.stdout.fileno()
    parts: list[bytes] = []
    with selectors.DefaultSelector() as selector:
        selector.register(number, selectors.EVENT_READ)
        while size > 0:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or not selector.select(left_s):
                raise TimeoutError
            # Read past Python's buffer, which the selector does not know of; nothing else reads this pipe.
            part = os.read(number, min(size, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
    return b"".join(parts)


def run_sql(settings: Settings, sql: str, launched: subprocess.Popen[bytes] | None = None) -> SqlResult:
    """Run one statement in a process started for it, or `launched` before; raises `SqlError`."""
    with SqlRunner(settings, launched) as runner:
        return runner.run(sql)
