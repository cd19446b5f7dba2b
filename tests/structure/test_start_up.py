"""What a command imports before it can answer: the heavy packages wait until something needs them (no test is timed)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

#: Packages that take a tenth of a second or so each.
HEAVY = ("rich", "pydantic", "structlog", "sqlglot", "pyarrow", "numpy", "duckdb", "dash", "plotly", "botocore", "kafka", "scapy")

_SCRIPT = """
import sys
from gatewatch.cli import main
sys.argv = ["gatewatch", *sys.argv[1:]]
try:
    main()
except SystemExit:
    pass
print("IMPORTED", *sorted({name.split(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def imported(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *arguments], capture_output=True, text=True, timeout=110, check=True
    )
    return set(done.stderr.rpartition("IMPORTED ")[2].split())


@pytest.mark.parametrize(("arguments", "needed"), [
    (["--help"], set()),
    (["sql", "--help"], set()),
    (["demo", "--help"], set()),
    (["health", "api"], {"rich", "numpy", "pyarrow"}),
    (["status", "--output", "json"], {"rich", "numpy", "pyarrow"}),
    (["sql", "select 1", "--output", "json"], set()),
    (["sql", "select 1"], {"rich"}),
], ids=" ".join)
def test_a_command_imports_no_heavy_package_it_does_not_need(arguments: list[str], needed: set[str], tmp_path: Path) -> None:
    data = [] if "--help" in arguments else ["--data", str(tmp_path)]
    assert imported(*arguments, *data) & set(HEAVY) <= needed
