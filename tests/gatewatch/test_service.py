"""How a service is told to stop, and what it logs."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

STOPS = """
from gatewatch.service import set_up_logging, stop_event
import structlog
set_up_logging("warning")
stop = stop_event()
structlog.get_logger().info("quiet")
structlog.get_logger().warning("loud", number=7)
print("up", flush=True)
print("stopped" if stop.wait(20) else "never told", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_both_signals_set_the_event_and_the_level_holds(number: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", STOPS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(number)
    output, log = process.communicate(timeout=20)
    assert (output, process.returncode) == ("stopped\n", 0)
    assert "loud" in log
    assert "number=7" in log
    assert "quiet" not in log
