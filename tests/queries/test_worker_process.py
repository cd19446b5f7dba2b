"""Starting the SQL worker ahead of its use: what it is told of us, that it is used, and that it ends with us."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatewatch.settings import Settings
from queries.sql_runner import SqlRunner
from queries.worker_process import launch


def test_it_is_told_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    process = launch()
    try:
        assert b"a secret" not in Path(f"/proc/{process.pid}/environ").read_bytes()
    finally:
        process.communicate()  # closes its standard input


def test_it_does_without_numpy_which_would_be_a_fifth_of_its_start(tmp_path: Path) -> None:
    process = launch()
    with SqlRunner(Settings(data=str(tmp_path)), process) as runner:
        runner.run("SELECT 1")
        libraries = Path(f"/proc/{process.pid}/maps").read_text()
    assert "pyarrow" in libraries
    assert "numpy" not in libraries


def test_it_ends_when_its_input_does() -> None:
    process = launch()
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_runner_uses_the_process_it_is_given_and_ends_it(tmp_path: Path) -> None:
    process = launch()
    with SqlRunner(Settings(data=str(tmp_path)), process) as runner:
        assert runner.run("SELECT 1").texts == [["1"]]
        assert process.poll() is None
    assert process.returncode is not None


def test_a_runner_that_was_never_asked_ends_it_too(tmp_path: Path) -> None:
    process = launch()
    SqlRunner(Settings(data=str(tmp_path)), process).close()
    assert process.returncode is not None
