"""The data folder's disk is full while traffic runs: nothing ends, everybody says so, and afterwards every book balances."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from gatewatch.status_file import SILENT_AFTER_S, read_all
from tests.end_to_end.demo_run import LAB_NAME, end
from tests.ports import free_port

pytestmark = [pytest.mark.network, pytest.mark.slow]

DISK_MB = 160
DURATION_S = 45
#: Longer than it takes a service that writes nothing to count as silent.
FULL_S = 2 * SILENT_AFTER_S
WAIT_S_MAX = 300.0
SERVICES = {"alarms", "api", "console", "forwarder", "health", "ingest", "traffic"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, so that only this demo meets its end."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"a file system cannot be mounted here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def until(holds: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + WAIT_S_MAX
    while not holds():
        assert time.monotonic() < deadline_s, f"not within {WAIT_S_MAX:g} s: {what}"
        threading.Event().wait(0.2)


def fill(folder: Path) -> Path:
    """Every block of it."""
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)
    return filler


def processes(data: Path) -> dict[str, int]:
    """By service; an appliance may be killed by the demo meanwhile."""
    return {name: status["pid"] for name, status in read_all(data).items() if name in SERVICES}


def conditions(data: Path) -> set[str]:
    done = subprocess.run([sys.executable, "-m", "gatewatch", "status", "--output", "json", "--data", str(data)],
                          capture_output=True, text=True)
    return {each["code"] for each in json.loads(done.stdout)["conditions"]}


def delivered(data: Path) -> int:
    return int(read_all(data)["forwarder"]["packets"]["delivered"])


def a_call_is_answered(client: Any) -> str:
    """What the API says: `ServiceUnavailable`, in AWS's shape, as no call may go unrecorded."""
    try:
        client.describe_load_balancers()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "done"


def test_a_full_disk_ends_nothing_and_costs_nothing(small_disk: Path, tmp_path: Path) -> None:
    data, report, api_port, console_port = small_disk / "data", tmp_path / "report.json", free_port(), free_port()
    command = [sys.executable, "-m", "gatewatch", "demo", "--duration", str(DURATION_S), "--data", str(data), "--report", str(report),
               "--lab-name", LAB_NAME, "--api-port", str(api_port), "--console-port", str(console_port)]
    client = boto3.client("elbv2", endpoint_url=f"http://127.0.0.1:{api_port}", region_name="us-east-1",
                          aws_access_key_id="any", aws_secret_access_key="any")
    with (tmp_path / "output").open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        until(lambda: set(read_all(data)) >= SERVICES and delivered(data) > 0, "every service runs and traffic flows")
        before, sent_before = processes(data), delivered(data)
        filler, began_s = fill(small_disk), time.time()
        until(lambda: "disk_full" in conditions(data), "the full disk is named")
        until(lambda: time.time() - began_s > FULL_S, "it lasts")

        told_s = {name: round(status["time"] - began_s, 1) for name, status in read_all(data).items() if name in SERVICES}
        assert min(told_s.values()) > FULL_S - SILENT_AFTER_S, told_s
        assert not [code for code in conditions(data) if code.endswith("_silent")]
        assert a_call_is_answered(client) in ("ServiceUnavailable", "done")
        with urllib.request.urlopen(f"http://127.0.0.1:{console_port}/", timeout=30) as answer:
            assert answer.status == 200
        assert delivered(data) > sent_before
        assert processes(data) == before

        filler.unlink()
        until(lambda: "disk_full" not in conditions(data), "the condition ends with its cause")
        until(lambda: a_call_is_answered(client) == "done", "the API takes calls again")
        assert processes(data) == before
        process.wait(WAIT_S_MAX)
    finally:
        client.close()
        end(process)
    assert process.returncode == 0, (tmp_path / "output").read_text()
    figures = json.loads(report.read_text())
    assert (figures["balanced"], figures["differences"]) == (True, [])
