"""Runs `gatewatch demo` as a user would, on ports and in a data folder of its own, and captures what crosses the provider network."""

from __future__ import annotations

import json
import os
import signal
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
from tests.ports import free_port

#: A name of this process alone: namespaces are the whole machine's, and another demo or test run may be under way.
LAB_NAME = f"gwtest{os.getpid()}"
#: How much longer than its traffic a run may take: start-up, what is under way at the end, a busy machine.
RUN_MORE_S_MAX = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRun:
    """A finished run: its data folder, its report, what it printed, and the capture if one was made."""

    data: Path
    report: dict[str, Any]
    output: str
    status: int
    capture: Path | None


def unhealthy_hosts_alarm(run: DemoRun) -> list[str]:
    """The states that the alarm on unhealthy targets went through."""
    return [each["to"] for each in run.report["alarm_transitions"] if each["alarm"].startswith("gatewatch-unhealthy-hosts")]


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
    with (folder / "output").open("wb") as said:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )
    try:
        with provider_capture(process, data, folder / "provider.pcap") if capture else no_capture() as file:
            process.wait(duration_s + RUN_MORE_S_MAX)
    finally:
        end(process)
    output = (folder / "output").read_text(encoding="utf-8")
    figures = report.read_text(encoding="utf-8") if report.exists() else ""
    assert figures, f"the demo wrote no report; it said:\n{output}"
    return DemoRun(data=data, report=json.loads(figures), output=output, status=process.returncode, capture=file)


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop it, if it still runs, so that it takes its lab down; by force if it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(90)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def no_capture() -> Iterator[None]:
    """No capture."""
    yield None


@contextmanager
def provider_capture(demo: subprocess.Popen[bytes], data: Path, file: Path) -> Iterator[Path | None]:
    """Capture GENEVE at the balancer's node from the moment traffic flows; nothing if the demo ends before that."""
    deadline = time.monotonic() + RUN_MORE_S_MAX
    while read_status(data, "traffic") is None:
        if demo.poll() is not None:
            yield None
            return
        assert time.monotonic() < deadline, f"no traffic within {RUN_MORE_S_MAX} s"
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
        capture.wait(60)
