"""The two ways to write to a SQLite file of ours: as the one whose file it is, and as another who joins.

`open_database` makes the file, recognises it, migrates it in one transaction, keeping a copy of what was, and turns on
write-ahead logging.  `join` opens one that is there, and neither makes nor migrates it.  See `kind` for how a file is
recognised, `read_only` for reading.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from gatewatch.database.kind import BadDatabase, Kind
from gatewatch.database.problem import advice
from gatewatch.database.transaction import transaction

#: How long a transaction waits for that of another process.
BUSY_TIMEOUT_S = 10.0
#: Pause between attempts to turn on write-ahead logging, for which SQLite itself does not wait.
WAL_PAUSE_S = 0.01
#: Another that closes the file as its last user removes the log under one that opens it at that moment, who gets an I/O error.
IO_ATTEMPTS_MAX = 5
IO_PAUSE_S = 0.05


def open_database(path: Path, kind: Kind, *, durable: bool = True, busy_s: float | None = None) -> sqlite3.Connection:
    """A connection to the file, made and migrated if need be; transactions are begun by hand, threads take turns.

    `durable`: what was committed outlives a power cut.  `BadDatabase` when it cannot be used; nothing was changed then.
    """
    busy_s = BUSY_TIMEOUT_S if busy_s is None else busy_s
    path.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(IO_ATTEMPTS_MAX - 1):
        try:
            return _open(path, kind, durable=durable, busy_s=busy_s)
        except BadDatabase as error:
            if getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_IOERR:
                raise
            time.sleep(IO_PAUSE_S)
    return _open(path, kind, durable=durable, busy_s=busy_s)


def _open(path: Path, kind: Kind, *, durable: bool, busy_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=busy_s, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path, kind, durable=durable, busy_s=busy_s)
    except BadDatabase:
        connection.close()
        raise
    except sqlite3.DatabaseError as error:
        connection.close()
        todo = advice(error, damaged=kind.damaged)
        raise BadDatabase(f"the {kind.name} {path} cannot be opened: {error}; {todo}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def join(path: Path, kind: Kind, *, busy_s: float) -> sqlite3.Connection:
    """A connection to a file that somebody else keeps.  A power cut may take back the last of what is written here.

    `sqlite3.OperationalError` when it is not there, or not made yet; `BadDatabase` when it is none of `kind`, or newer.
    """
    address = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(address, uri=True, timeout=busy_s, isolation_level=None, check_same_thread=False)
    try:
        if kind.version_of(connection, path) < kind.version:
            raise sqlite3.OperationalError(f"the {kind.name} {path} is not made yet, or waits to be migrated by its service")
        connection.execute("pragma synchronous=normal")
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, kind: Kind, *, durable: bool, busy_s: float) -> None:
    version = kind.version_of(connection, path)
    if version == 0:
        for pragma in kind.first_pragmas:
            connection.execute(f"pragma {pragma}")
    elif version < kind.version:
        keep_copy(connection, path, version)
    _turn_on_wal(connection, busy_s)
    connection.execute(f"pragma synchronous={'full' if durable else 'normal'}")
    if version < kind.version or connection.execute("pragma application_id").fetchone()[0] == 0:
        _migrate(connection, path, kind)


def _migrate(connection: sqlite3.Connection, path: Path, kind: Kind) -> None:
    with transaction(connection):
        # Again, now that nobody else can: several processes may open a file at once.
        version = kind.version_of(connection, path)
        for step in kind.steps[version:]:
            step(connection)
        connection.execute(f"pragma application_id = {kind.application_id}")
        connection.execute(f"pragma user_version = {kind.version}")


def keep_copy(connection: sqlite3.Connection, path: Path, version: int) -> Path:
    """Copy the file, whole and consistent, to `<name>.v<version>` beside it; an older gatewatch can go on from that."""
    copy = path.with_name(f"{path.name}.v{version}")
    temporary = path.with_name(f".{copy.name}")
    temporary.unlink(missing_ok=True)
    with closing(sqlite3.connect(temporary)) as target:
        connection.backup(target)
    temporary.replace(copy)
    return copy


def _turn_on_wal(connection: sqlite3.Connection, busy_s: float) -> None:
    # Once the file is in that mode this succeeds at once; a first start of several processes has to try again.
    deadline_s = time.monotonic() + busy_s
    while True:
        try:
            connection.execute("pragma journal_mode=wal")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(WAL_PAUSE_S)
        else:
            return
