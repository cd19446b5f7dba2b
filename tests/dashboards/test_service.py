from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dashboards import service
from gatewatch.status_file import read_status
from tests.dashboards.served import answers, free_port, get, served, wait_until
from tests.dashboards.small_lake import console_of


def test_it_serves_writes_its_status_and_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "STATUS_INTERVAL_S", 0.1)
    with served(console_of(tmp_path, console_port=free_port())) as port:
        wait_until(lambda: read_status(tmp_path, "console") is not None)
        assert get(port, "/health").status == 200
    status = read_status(tmp_path, "console")
    assert status is not None
    assert status["callback_errors"] == 0
    assert not answers(port)


def test_a_taken_port_is_an_error_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        console = console_of(tmp_path, console_port=listener.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            service.run(console, threading.Event())
        console.close()


def test_a_signal_stops_the_process_cleanly(tmp_path: Path) -> None:
    port = free_port()
    code = ("from gatewatch.settings import Settings; from dashboards.service import serve; "
            f"serve(Settings(data={str(tmp_path)!r}, console_port={port}))")
    process = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    try:
        wait_until(lambda: answers(port), 90)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
