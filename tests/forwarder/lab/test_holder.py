"""The holder of an ordinary user's namespaces: its record, and the namespaces it makes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from forwarder.lab import holder
from forwarder.lab.privilege import Holder, live_holder

NOBODY = 65_534


def test_its_record_says_who_it_is(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    holder.record(tmp_path / "lab")
    assert msgspec.json.decode((tmp_path / "lab" / "holder.json").read_bytes(), type=Holder).pid == os.getpid()
    assert live_holder(tmp_path) is not None


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that nobody may write; pytest's own are root's."""
    made = Path(tempfile.mkdtemp(prefix="gatewatch-test-"))
    if os.geteuid() == 0:
        os.chown(made, NOBODY, NOBODY)
    yield made
    shutil.rmtree(made)


@pytest.mark.network
def test_it_holds_a_user_and_a_mount_namespace_in_the_hosts_network(folder: Path, repository: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "forwarder.lab.holder", str(folder)], stdout=subprocess.PIPE, text=True, cwd=repository
    )
    assert process.stdout is not None
    answer = process.stdout.readline().strip()
    if "not permitted" in answer or "No space" in answer:
        process.wait()
        process.stdout.close()
        pytest.skip(f"the kernel forbids it: {answer}")
    try:
        assert answer == "ready"
        assert process.stdout.read() == "", "it lets go of its output"
        for kind, same in (("user", False), ("mnt", False), ("net", True), ("pid", True)):
            theirs = Path(f"/proc/{process.pid}/ns/{kind}").stat().st_ino
            assert (theirs == Path(f"/proc/self/ns/{kind}").stat().st_ino) is same, kind
        assert " /run/netns " in Path(f"/proc/{process.pid}/mountinfo").read_text(encoding="utf-8") or (
            " /run rw" in Path(f"/proc/{process.pid}/mountinfo").read_text(encoding="utf-8"))
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        process.stdout.close()
