"""Makes small changes to the sources, one at a time, and lists those that no test noticed (`make mutants`).

    make mutants ARGS="--places 50 --seed 7 forwarder/engine"

Each change is made in a copy of the tree, and the test file of its module is run, then the tests of its folder.  A survivor is a
place where tests look away, or a change that makes no difference; a person decides which.  Exit status 0 whatever is found.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.mutation import Mutation, mutations

ROOT = Path(__file__).parents[2]
ROOMS = ("forwarder", "gatewatch", "ingest", "queries", "dashboards")
TESTS_S_MAX = 300


def main(arguments: Sequence[str] | None = None) -> int:
    """Change, run, list."""
    options = _options(arguments)
    places = sample(options.folders or list(ROOMS), options.places, options.seed)
    survivors = 0
    with tempfile.TemporaryDirectory(prefix="gatewatch-mutants-") as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "gatewatch-data"))
        for number, (path, mutation) in enumerate(places, 1):
            noticed = is_noticed(copy, path, mutation)
            survivors += not noticed
            verdict = "noticed " if noticed else "SURVIVED"
            print(f"{number:3}/{len(places)} {verdict} {path}:{mutation.line}  {mutation.before}  ->  {mutation.after}", flush=True)
    print(f"{survivors} of {len(places)} changes were noticed by no test")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Changes the sources in small ways and lists what no test noticed.")
    parser.add_argument("folders", nargs="*", help="folders or files to change (default: all rooms)")
    parser.add_argument("--places", type=int, default=50, help="how many changes (default 50)")
    parser.add_argument("--seed", type=int, default=0, help="another number, other places")
    return parser.parse_args(arguments)


def sample(folders: Sequence[str], places: int, seed: int) -> list[tuple[Path, Mutation]]:
    """Places drawn evenly from all there are; the same for the same seed and sources."""
    paths = sorted({path for folder in folders for path in ([ROOT / folder] if folder.endswith(".py") else (ROOT / folder).rglob("*.py"))})
    found = [(path.relative_to(ROOT), each) for path in paths for each in mutations(path.read_text(encoding="utf-8"))]
    return random.Random(seed).sample(found, min(places, len(found)))


def is_noticed(copy: Path, path: Path, mutation: Mutation) -> bool:
    """Whether a test fails, or does not end, with the change."""
    changed = copy / path
    before = changed.read_text(encoding="utf-8")
    changed.write_text(mutation.source, encoding="utf-8")
    try:
        own = copy / "tests" / path.parent / f"test_{path.name}"
        return any(_fails(copy, tests) for tests in (own, own.parent) if tests.exists())
    finally:
        changed.write_text(before, encoding="utf-8")


def _fails(copy: Path, tests: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "not slow and not network", str(tests)]
    try:
        done = subprocess.run(command, cwd=copy, capture_output=True, timeout=TESTS_S_MAX, env=_environment(copy))
    except subprocess.TimeoutExpired:
        return True
    return done.returncode not in (0, 5)  # 5: none of these tests can run here


def _environment(copy: Path) -> dict[str, str]:
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(copy), "HOME": str(copy)}


if __name__ == "__main__":
    sys.exit(main())
