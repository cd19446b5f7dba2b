"""The lab's traffic as a process, through a simple gateway that puts everything straight back."""

from __future__ import annotations

import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from forwarder.lab import topology, traffic
from forwarder.lab.lab import Lab
from gatewatch.settings import Settings
from gatewatch.status_file import read_status


@pytest.mark.network
def test_clients_reach_servers_and_the_books_are_written(lab: Lab, gateway: Any, repository: Path) -> None:
    gateway.put_back = True
    process = subprocess.Popen(
        [sys.executable, "-m", "forwarder.lab.traffic", "--data", str(lab.data), "--rate", "60"],
        cwd=repository, stderr=subprocess.DEVNULL,
    )
    try:
        deadline_s = time.monotonic() + 90
        wanted: set[str] = set()
        while not wanted >= {"http", "dns", "ping", "ssh"}:
            assert time.monotonic() < deadline_s, "not every kind worked"
            select.select([], [], [], 0.05)
            status = read_status(lab.data, "traffic") or {"kinds": {}}
            wanted = {name for name, kind in status["kinds"].items() if kind["ok"]}
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    last = read_status(lab.data, "traffic")
    assert last is not None
    assert last["rate"] == 60
    assert set(last["failures"]) <= {"TimeoutError"}, "a busy machine may be late, nothing else may fail"
    assert all(kind["ok"] > 5 * kind["failed"] for kind in last["kinds"].values() if kind["ok"]), last["kinds"]
    assert last["connections"] == sorted(last["connections"])
    assert any(ok for _, ok in last["connections"])
    assert set(last["servers"]) == {server.netns for server in lab.servers}
    assert all(machine["http"]["answered"] for machine in last["servers"].values())


@pytest.mark.parametrize("rate", [0.0, -1.0, traffic.RATE_MAX + 1])
def test_a_rate_out_of_bounds_is_refused(rate: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allowed: above 0 to 500"):
        traffic.serve(Settings(data=str(tmp_path)), lab=Lab(data=tmp_path, plan=topology.plan()), rate=rate)


def test_without_a_lab_it_says_so(repository: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "forwarder.lab.traffic", "--data", str(tmp_path)],
        cwd=repository, capture_output=True, text=True, check=False,
    )
    assert done.returncode == 1
    assert "gatewatch lab up" in done.stderr
    assert list(tmp_path.iterdir()) == []
