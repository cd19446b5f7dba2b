"""The wheel, in an environment that has nothing else, runs the demo: nothing it needs is only in the source tree."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.end_to_end.demo_run import LAB_NAME
from tests.ports import free_port

pytestmark = [pytest.mark.network, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
WAIT_S_MAX = 300


def run(*command: str | Path, at: Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=at, capture_output=True, text=True, timeout=WAIT_S_MAX)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def test_the_wheel_alone_runs_the_demo(tmp_path: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        pytest.skip(f"there is no {uv}, which builds the wheel")
    # From a copy: a build must not leave anything in the tree that other tests look at.
    source = tmp_path / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "tests", "__pycache__", "gatewatch-data"))
    run(uv, "build", "--quiet", "--wheel", "--out-dir", tmp_path / "dist", source, at=tmp_path)
    [wheel] = (tmp_path / "dist").glob("gatewatch-*.whl")
    environment = tmp_path / "environment"
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    run(uv, "pip", "install", "--quiet", "--python", python, "--constraint", ROOT / "requirements.lock", wheel, at=tmp_path)
    run(environment / "bin" / "gatewatch", "demo", "--headless", "--duration", "5", "--data", tmp_path / "data", "--report",
        tmp_path / "report.json", "--lab-name", LAB_NAME, "--api-port", str(free_port()), at=tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["balanced"], report["differences"]) == (True, [])
    assert run(python, "-c", "import gatewatch; print(gatewatch.__file__)", at=tmp_path).startswith(str(environment))
