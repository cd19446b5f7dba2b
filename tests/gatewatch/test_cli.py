"""The front door: its commands, and errors in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gatewatch.cli import app


@pytest.mark.parametrize(
    "command",
    [["demo"], ["up"], ["api"], ["forwarder"], ["ingest"], ["alarms"], ["console"], ["appliance"], ["lab", "up"], ["lab", "run"],
     ["lab", "show"], ["lab", "down"], ["sql"], ["query"], ["status"], ["health"], ["settings"]],
    ids=" ".join,
)
def test_every_command_explains_itself(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lab", "show"], "no lab is up in"),
        (["api", "--api-port", "0"], "setting api_port is '0'; allowed: 1 to 65535"),
        (["appliance", "--rules", "nowhere.toml"], "the rules nowhere.toml cannot be read"),
        (["alarms", "--alarms-file", "nowhere.toml"], "nowhere.toml"),
        (["status", "--nosuch"], "no such option: --nosuch; `python -m gatewatch status --help` says what there is"),
        (["lab", "nosuch"], "no such command 'nosuch'; `python -m gatewatch lab --help` says what there is"),
        (["sql"], "missing argument 'statement'"),
        (["sql", "select 1", "--data", "/nowhere"], "there is no data folder /nowhere; name the one in use with --data"),
        (["query", "top_talkers", "--data", "/nowhere"], "there is no data folder /nowhere"),
        (["health", "api", "--data", "/nowhere"], "there is no data folder /nowhere"),
        (["ingest", "--data", "/proc/none"], "the data folder /proc/none cannot be made: No such file or directory"),
    ],
)
def test_what_a_person_must_put_right_is_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    command = [sys.executable, "-m", "gatewatch", *arguments]
    if "--data" not in arguments:
        command += ["--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode in (1, 2)
    lines = [line for line in done.stderr.splitlines() if line.startswith("gatewatch:")]
    assert len(lines) == 1
    assert message in lines[0]
    assert "╭" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("damaged", "arguments", "message"), [
    ("manifest.sqlite", ["status"], "manifest.sqlite cannot be read: file is not a database"),
    ("manifest.sqlite", ["sql", "select 1"], "manifest.sqlite cannot be read: file is not a database"),
    ("manifest.sqlite", ["ingest"], "manifest.sqlite cannot be opened: file is not a database"),
    ("spool/alarms.sqlite", ["status"], "spool/alarms.sqlite cannot be read: file is not a database"),
    ("spool/alarms.sqlite", ["alarms"], "spool/alarms.sqlite cannot be opened: file is not a database"),
    ("alarms.sqlite", ["alarms"], "alarms.sqlite cannot be opened: file is not a database"),
    ("state.sqlite", ["api"], "state.sqlite cannot be opened: file is not a database"),
])
def test_a_damaged_file_is_named_in_one_line(tmp_path: Path, damaged: str, arguments: list[str], message: str) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / damaged).write_bytes(b"no database " * 400)
    command = [sys.executable, "-m", "gatewatch", *arguments, "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_arrow_allocates_with_what_gives_memory_back() -> None:
    script = "\n".join((
        "import sys", "from gatewatch.cli import main", "sys.argv = ['gatewatch', 'settings']",
        "try: main()", "except SystemExit: pass", "import pyarrow as pa", "print(pa.default_memory_pool().backend_name)",
    ))
    environment = {name: value for name, value in os.environ.items() if name != "ARROW_DEFAULT_MEMORY_POOL"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=110, env=environment)
    assert done.stdout.splitlines()[-1] == "system", done.stderr
