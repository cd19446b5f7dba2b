"""Runs the demo for long and fails when a service grows without need (`make soak`).

    make soak ARGS="--minutes 60"

Every few seconds it reads memory, open files and threads of every service and the size of the files that keep books, asks
the console and the lake as a person would, and in the end prints a table and a JSON line for each figure.  Exit status 1
when something grew by more than noise and faster than allowed, or when the demo's own claims did not hold.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from tests.end_to_end.demo_run import LAB_NAME, end
from tests.ports import free_port
from tests.soak.growth import Growth, growth_of
from tests.soak.readings import readings

SAMPLE_S = 5.0
START_S_MAX, END_S_MAX = 120.0, 300.0
#: By what ends a figure's name: what is noise, and what growth in an hour is allowed beyond it.
ALLOWED = {
    "memory_mb": (12.0, 24.0), "files": (8.0, 8.0), "threads": (4.0, 4.0), "size_mb": (4.0, 24.0),
}

Samples = dict[str, list[tuple[float, float]]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, tell, and say whether nothing grew."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="gatewatch-soak-") as folder:
        samples, ended_well = soak(Path(folder), minutes=options.minutes, more=options.demo)
    if options.samples:
        options.samples.write_text(json.dumps(samples), encoding="utf-8")
    growths = {name: growth_of(taken) for name, taken in samples.items() if len(taken) >= 8}
    bad = tell(growths)
    if not ended_well:
        print("the demo itself did not end well", file=sys.stderr)
    return 1 if bad or not ended_well else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs the demo for long and fails when a service grows without need.")
    parser.add_argument("--minutes", type=float, default=60.0, help="how long (default 60)")
    parser.add_argument("--samples", type=Path, help="write every sample to this file (JSON: figure, then seconds and value)")
    parser.add_argument("demo", nargs="*", help="further arguments of the demo, after --")
    return parser.parse_args(arguments)


def soak(folder: Path, *, minutes: float, more: Sequence[str] = ()) -> tuple[Samples, bool]:
    """The samples by figure, and whether the demo's own claims held."""
    data, console_port = folder / "data", free_port()
    command = [
        sys.executable, "-m", "gatewatch", "demo", "--duration", str(round(60 * minutes)), "--data", str(data),
        "--report", str(folder / "report.json"), "--lab-name", LAB_NAME, "--api-port", str(free_port()),
        "--console-port", str(console_port), *more,
    ]
    with (folder / "output").open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        samples = _watch(process, data, console_port, until_s=time.monotonic() + 60 * minutes)
        process.wait(END_S_MAX)
    finally:
        end(process)
    if process.returncode:
        print((folder / "output").read_text(encoding="utf-8"), file=sys.stderr)
    return samples, process.returncode == 0


def _watch(process: subprocess.Popen[bytes], data: Path, console_port: int, *, until_s: float) -> Samples:
    samples: Samples = {}
    began_s = time.monotonic()
    while process.poll() is None and time.monotonic() < until_s:
        _visit(console_port)
        for name, figure in readings(data).items():
            samples.setdefault(name, []).append((time.monotonic() - began_s, figure))
        threading.Event().wait(SAMPLE_S)
    return samples


def _visit(console_port: int) -> None:
    """Look at the console's layout, which asks the lake; what is not up yet is not what is tested here."""
    for path in ("/", "/_dash-layout", "/_dash-dependencies"):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{console_port}{path}", timeout=10).read()
        except OSError:
            return


def tell(growths: dict[str, Growth], *, slack: float = 1.0) -> list[str]:
    """Print each figure, and give the names of those that grew without need; `slack` times as much counts as noise."""
    bad = []
    for name, growth in sorted(growths.items()):
        floor, per_hour = ALLOWED[name.split()[-1]]
        grew = growth.beyond(floor=slack * floor, per_hour=per_hour)
        bad += [name] if grew else []
        print(f"{name:<24} {growth.first:>9.1f} {growth.last:>9.1f} {growth.per_hour:>+9.1f} an hour{'  GREW' if grew else ''}",
              file=sys.stderr)
        print(json.dumps({
            "figure": name, "first": round(growth.first, 2), "last": round(growth.last, 2),
            "per_hour": round(growth.per_hour, 2), "grew": grew,
        }))
    return bad


if __name__ == "__main__":
    sys.exit(main())
