"""How a service is told to stop, and what it logs."""

from __future__ import annotations

import errno
import io
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gatewatch.service import LogLines

STOPS = """
from gatewatch.service import set_up_logging, stop_event
import structlog
set_up_logging("warning")
stop = stop_event()
structlog.get_logger().info("quiet")
structlog.get_logger().warning("loud", number=7)
print("up", flush=True)
print("stopped" if stop.wait(60) else "never told", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_both_signals_set_the_event_and_the_level_holds(number: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", STOPS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(number)
    output, log = process.communicate(timeout=90)
    assert (output, process.returncode) == ("stopped\n", 0)
    assert "loud" in log
    assert "number=7" in log
    assert "quiet" not in log


def test_a_full_disk_costs_log_lines_and_not_the_service() -> None:
    program = (
        "import structlog; from gatewatch.service import set_up_logging; set_up_logging('warning')\n"
        "for _ in range(10_000): structlog.get_logger().warning('loud', number=7)\n"
        "print('alive')"
    )
    with Path("/dev/full").open("w") as full:
        process = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=full, text=True)
    assert process.stdout == "alive\n"


def test_lines_that_could_not_be_written_are_counted() -> None:
    class Disk(io.StringIO):
        """Full when told so."""

        is_full = True

        def write(self, text: str) -> int:
            if self.is_full:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(text)

    disk = Disk()
    lines = LogLines(disk)
    for _ in range(3):
        lines.error("lost")
    disk.is_full = False
    lines.info("kept")
    lines.info("kept")
    assert disk.getvalue() == "3 log lines could not be written here\nkept\nkept\n"
