"""Runs `gatewatch demo` as a user would, on ports and in a data folder of its own, and captures what crosses the provider network."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatewatch.status_file import read_status

#: Another name than the default, so that a demo somebody runs on this machine is not in the way.
LAB_NAME = "gwtest"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRun:
    """A finished run: its data folder, its report, what it printed, and the capture if one was made."""

    data: Path
    report: dict[str, Any]
    output: str
    status: int
    capture: Path | None


def free_port() -> int:
    """A TCP port of the loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_demo(folder: Path, *arguments: str, duration_s: int, capture: bool = False) -> DemoRun:
    """Run it headless to its end."""
    data, report = folder / "data", folder / "report.json"
    command = [
        sys.executable,
        "-m",
        "gatewatch",
        "demo",
        "--headless",
        "--duration",
        str(duration_s),
        "--report",
        str(report),
        "--data",
        str(data),
        "--lab-name",
        LAB_NAME,
        "--api-port",
        str(free_port()),
        *arguments,
    ]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        with provider_capture(data, folder / "provider.pcap") if capture else no_capture() as file:
            output, _ = process.communicate(timeout=duration_s + 120)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    figures = json.loads(report.read_text()) if report.exists() else {}
    return DemoRun(data=data, report=figures, output=output, status=process.returncode, capture=file)


@contextmanager
def no_capture() -> Iterator[None]:
    """No capture."""
    yield None


@contextmanager
def provider_capture(data: Path, file: Path) -> Iterator[Path]:
    """Capture GENEVE at the balancer's node from the moment traffic flows."""
    deadline = time.monotonic() + 60
    while (read_status(data, "traffic") or {"pid": 0})["pid"] == 0:
        assert time.monotonic() < deadline, "no traffic within 60 s"
        threading.Event().wait(0.1)
    node = json.loads((data / "lab" / "lab.json").read_text())["plan"]["inventory"]["nodes"][0]
    capture = subprocess.Popen(
        [
            "ip",
            "netns",
            "exec",
            node["netns"],
            "tcpdump",
            "-q",
            "-U",
            "-s",
            "0",
            "-c",
            "400",
            "-i",
            node["device"],
            "-w",
            str(file),
            "udp port 6081",
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        yield file
    finally:
        capture.terminate()
        capture.wait(10)
