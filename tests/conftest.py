"""What holds for every test: where skips are forbidden (`GATEWATCH_SKIPS=forbidden`, as in CI) a skip is a failure."""

from __future__ import annotations

import os

import pytest


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Turn a skip into a failure that tells the reason, where a machine is meant to run everything."""
    if os.environ.get("GATEWATCH_SKIPS") == "forbidden" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {reason}"
