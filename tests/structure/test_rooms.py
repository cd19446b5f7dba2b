"""Which folder may import which (docs/rooms.toml), and that what is called pure touches nothing outside."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

from tests.structure.test_imports import FRONT_DOOR, ROOT, SOURCES, imported, module_name, within

ROOMS = tomllib.loads((ROOT / "docs" / "rooms.toml").read_text(encoding="utf-8"))
#: What a pure folder has no use for.
OUTSIDE = {"socket", "select", "threading", "queue", "time", "subprocess", "os", "sqlite3", "fcntl", "logging", "random", "asyncio",
           "structlog", "multiprocessing"}


def folder_of(name: str) -> str:
    """The folder of a module, or of a name within one."""
    parts = name.split(".")
    longest = next(n for n in range(len(parts), 0, -1) if (ROOT / Path(*parts[:n])).is_dir())
    return ".".join(parts[:longest])


def inside(path: Path) -> bool:
    return not within(module_name(path), *FRONT_DOOR) and module_name(path) != "gatewatch.__main__"


def test_every_folder_is_told() -> None:
    folders = {".".join(path.parent.relative_to(ROOT).parts) for path in SOURCES if inside(path)}
    assert folders == set(ROOMS)
    assert {target for room in ROOMS.values() for target in room["imports"]} <= set(ROOMS)


@pytest.mark.parametrize("path", [path for path in SOURCES if inside(path)], ids=module_name)
def test_a_folder_imports_only_what_it_may(path: Path) -> None:
    own = ".".join(path.parent.relative_to(ROOT).parts)
    wrong = {target for target in imported(path) if folder_of(target) not in (own, *ROOMS[own]["imports"])}
    assert not wrong, f"{own} may not import {sorted(wrong)} (docs/rooms.toml)"


def test_no_arrow_is_told_that_nobody_takes() -> None:
    taken: dict[str, set[str]] = {room: set() for room in ROOMS}
    for path in filter(inside, SOURCES):
        taken[".".join(path.parent.relative_to(ROOT).parts)] |= {folder_of(target) for target in imported(path)}
    assert {room: set(told["imports"]) - taken[room] for room, told in ROOMS.items() if set(told["imports"]) - taken[room]} == {}


@pytest.mark.parametrize("path", [
    path for path in SOURCES if inside(path) and ROOMS[".".join(path.parent.relative_to(ROOT).parts)].get("pure")
], ids=module_name)
def test_what_is_pure_touches_nothing_outside(path: Path) -> None:
    used = {
        name.split(".")[0] for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import)
                     else [node.module or ""] if isinstance(node, ast.ImportFrom) else [])
    }
    assert not used & OUTSIDE
