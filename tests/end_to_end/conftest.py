"""What every end-to-end test needs of the machine; without it they skip and say why."""

from __future__ import annotations

import os
import shutil

import pytest

PROGRAMS = ("ip", "tcpdump", "tshark")


@pytest.fixture(scope="session", autouse=True)
def able_machine() -> None:
    """Skip where the tests cannot enter the lab's namespaces from outside, or a program is missing."""
    if os.geteuid() != 0:
        pytest.skip("needs root: the tests capture and send inside the lab's namespaces")
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    if absent:
        pytest.skip(f"not on this machine: {', '.join(absent)}")
