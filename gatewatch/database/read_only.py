"""A SQLite file opened to be read: it is never made, and never written to.

A data folder may have any name, and `#`, `?` and `%` mean something else in the address that SQLite wants for this.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gatewatch.database.kind import Kind

#: How long a reader waits for whoever is making the file, or is in the middle of recovering it.
BUSY_TIMEOUT_S = 10.0


@contextmanager
def read_only(path: Path, kind: Kind) -> Iterator[sqlite3.Connection]:
    """A connection to an existing file, closed in the end.

    `sqlite3.OperationalError` when it is not there; `BadDatabase` (`kind`) for one of something else, or of a newer gatewatch.
    No transaction is begun: several questions see one moment only after a `begin`.
    """
    address = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as connection:
        kind.version_of(connection, path)
        yield connection
