"""Starts the process of `sql_worker`, and imports nothing heavy, so that a command can start it before its own imports."""

from __future__ import annotations

import os
import subprocess
import sys


def launch() -> subprocess.Popen[bytes]:
    """A process that waits for its `WorkerSettings`; it ends when its standard input does, also when we are killed."""
    # The environment is small, so that no query can tell its secrets; the import path is ours.
    environment = {
        "PATH": os.environ.get("PATH", ""), "PYTHONPATH": os.pathsep.join(part or "." for part in sys.path),
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "queries.sql_worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, env=environment,
    )
