"""`gatewatch up`: every service under one supervisor, which restarts what dies and stops all on SIGTERM."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from forwarder.control.network_state import put_whole
from forwarder.control.store import Store
from gatewatch.settings import Settings
from gatewatch.status_file import read_all, read_status
from gatewatch.up import SERVICES, _is_network_known
from tests.forwarder.one_endpoint import INVENTORY
from tests.ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, what
        threading.Event().wait(0.05)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "gatewatch",
            "up",
            "--data",
            str(tmp_path),
            "--api-port",
            str(free_port()),
            "--console-port",
            str(free_port()),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_services_run_come_back_and_stop(running: subprocess.Popen[str], tmp_path: Path) -> None:
    with_status = set(SERVICES) - {"forwarder"}  # without an inventory the forwarder waits
    wait_for(lambda: with_status <= set(read_all(tmp_path)), "not every service wrote its status")
    first = read_status(tmp_path, "ingest")
    assert first is not None
    os.kill(first["pid"], signal.SIGKILL)
    wait_for(lambda: (read_status(tmp_path, "ingest") or first)["pid"] != first["pid"], "ingest did not come back")
    processes = [status["pid"] for status in read_all(tmp_path).values()]
    running.send_signal(signal.SIGTERM)
    output, _ = running.communicate(timeout=120)
    assert running.returncode == 0
    assert "waiting for a network" in output
    assert not [
        pid
        for pid in processes
        if Path(f"/proc/{pid}").exists() and "gatewatch" in Path(f"/proc/{pid}/cmdline").read_text()
    ]


def test_a_network_of_before_is_known_without_its_file(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path))
    assert not _is_network_known(settings)
    store = Store.open(tmp_path / "state.sqlite")
    assert not _is_network_known(settings), "a store without a network"
    with store.writing() as connection:
        put_whole(connection, INVENTORY)
    store.close()
    assert _is_network_known(settings)
    (tmp_path / "state.sqlite").write_bytes(b"rubbish" * 1000)
    assert _is_network_known(settings), "the services say what is wrong with it"
