"""What holds for every test: where skips are forbidden (`GATEWATCH_SKIPS=forbidden`, as in CI) a skip is a failure."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

# Fixtures for the whole tree, by their names.
from tests.kafka_broker import kafka_broker, own_kafka_broker

__all__ = ["kafka_broker", "own_kafka_broker"]

# How long an example takes says more about the machine's other work than about the code.
settings.register_profile("gatewatch", deadline=None)
settings.load_profile("gatewatch")

SKIPS_FORBIDDEN = os.environ.get("GATEWATCH_SKIPS") == "forbidden"

#: Whoever runs the tests may use gatewatch and AWS: settings, profiles, endpoints.  No test is about theirs.
FOREIGN_PREFIXES = ("GATEWATCH_", "AWS_", "BOTO_")
#: What would have programs write in colours, or in lines of another length.
FOREIGN_NAMES = ("FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "PY_COLORS", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "LINES",
                 "PYTHONWARNINGS", "PYTHONOPTIMIZE")

#: Marks of tests that may hang no sooner than this; the others have the limit of `pyproject.toml`.
HEAVY = ("broker", "browser", "network", "slow", "tshark", "compose")
HEAVY_S_MAX = 900

#: kafka-python leaves sockets whose connection was refused to the garbage collector; any later test may run it.
#: Such a socket is bound to no address, which no socket of ours is when it is forgotten.
KAFKA_SOCKET = r"unclosed <socket.socket fd=\d+, family=2, type=1, proto=6, laddr=\('0.0.0.0'"


def pytest_configure(config: pytest.Config) -> None:
    """Whoever runs the tests and what kafka-python leaves behind shall not decide how they end."""
    forget_the_users_environment()
    config.addinivalue_line("filterwarnings", f"ignore:{KAFKA_SOCKET}:ResourceWarning")


def pytest_sessionfinish() -> None:
    """Have what the last tests left collected while its warning is still ignored; pytest's own filters end before it looks."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", KAFKA_SOCKET, ResourceWarning)
        gc.collect()


def forget_the_users_environment() -> None:
    """Drop the user's own settings, and have a proxy, where there is one, asked for nothing on this machine."""
    for name in [name for name in os.environ if name.startswith(FOREIGN_PREFIXES) or name in FOREIGN_NAMES]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name, ""), "127.0.0.1", "localhost")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that starts brokers, browsers or networks may be slow on a busy machine; its fixtures may fetch what they need."""
    for item in items:
        heavy = any(item.get_closest_marker(name) for name in HEAVY)
        if heavy and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(HEAVY_S_MAX))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, pytest.TestReport]:
    """Turn a skip into a failure that tells the reason, where a machine is meant to run everything."""
    report: pytest.TestReport = yield
    if SKIPS_FORBIDDEN and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {reason}"
    return report
