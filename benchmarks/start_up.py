"""How long every command takes from its start to its end, beside `python -c pass` and `aws --version` in the same run.

    PYTHONPATH=. .venv/bin/python benchmarks/start_up.py [--repeat 7]

Commands that ask run over an empty data folder; services and the lab show their help, which is what they do before their
own imports, and the service modules are imported alone.  Goals on an idle machine: `--help` under 0.25 s, `sql "select 1"`
under 0.5 s, `status` under 0.7 s.  Median of `--repeat` runs after one that is not counted, which also writes Python's
compiled files; a JSON line a case.  Takes about two minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ASKS = (["sql", "select 1"], ["sql", "select 1", "--output", "json"], ["query"], ["query", "top_talkers"], ["status"],
        ["health", "api"])
HELPS = ("demo", "up", "api", "forwarder", "ingest", "alarms", "console", "appliance", "sql", "query", "status", "health", "lab")
MODULES = ("gatewatch.api_service", "forwarder.service", "ingest.service", "queries.alarms.service", "dashboards.service",
           "forwarder.lab.appliance", "queries.sql_worker")


def main() -> None:
    """Print a line for each case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--repeat", type=int, default=7, help="runs of each case; the median counts")
    repeat = parser.parse_args().repeat
    python, gatewatch = [sys.executable], [sys.executable, "-m", "gatewatch"]
    with tempfile.TemporaryDirectory(prefix="gatewatch-bench-") as data:
        measure("reference python -c pass", [*python, "-c", "pass"], repeat)
        aws = shutil.which("aws", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
        if aws:
            measure("reference aws --version", [aws, "--version"], repeat)
        measure("--help", [*gatewatch, "--help"], repeat)
        measure("settings", [*gatewatch, "settings"], repeat)
        for arguments in ASKS:
            measure(" ".join(arguments), [*gatewatch, *arguments, "--data", data], repeat)
        for name in HELPS:
            measure(f"{name} --help", [*gatewatch, name, "--help"], repeat)
        for module in MODULES:
            measure(f"import {module}", [*python, "-c", f"import {module}"], repeat)


def measure(case: str, command: list[str], repeat: int) -> None:
    """Run a command once and then `repeat` times; print the median."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    seconds = []
    for _ in range(repeat + 1):
        began_s = time.perf_counter()
        subprocess.run(command, env=environment, capture_output=True, check=False)
        seconds.append(time.perf_counter() - began_s)
    median_s = statistics.median(seconds[1:])
    print(json.dumps({"case": case, "median_s": round(median_s, 3), "best_s": round(min(seconds[1:]), 3)}), flush=True)


if __name__ == "__main__":
    main()
