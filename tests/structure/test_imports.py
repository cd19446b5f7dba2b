"""Which room may import which (docs/architecture.md): any other arrow fails here."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("gatewatch", "forwarder", "ingest", "queries", "dashboards")

#: Beside itself, a room may import these.  A dotted name allows that module and what lies below it only.
ALLOWED = {
    "gatewatch": (),
    "forwarder": ("gatewatch",),
    "ingest": ("gatewatch",),
    "queries": ("gatewatch", "ingest.manifest"),
    "dashboards": ("queries", "gatewatch"),
}

#: The front door: it composes the rooms, so it may import them all; nothing on the ground floor may import it.
FRONT_DOOR = (
    "gatewatch.cli",
    "gatewatch.api_service",
    "gatewatch.up",
    "gatewatch.answers",
    "gatewatch.result_table",
    "gatewatch.status_view",
    "gatewatch.endpoint_commands",
    "gatewatch.lab_commands",
    "gatewatch.demo",
)

SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written out in full"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {name for name in names if name.split(".")[0] in ROOMS}


def within(name: str, *places: str) -> bool:
    return any(name == place or name.startswith(place + ".") for place in places)


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_a_room_imports_only_what_it_may(path: Path) -> None:
    name = module_name(path)
    room = name.split(".")[0]
    front_door = within(name, *FRONT_DOOR)
    wrong = [target for target in imported(path) if not front_door and not within(target, room, *ALLOWED[room])]
    assert not wrong, f"{name} may not import {wrong}"


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_nothing_imports_the_front_door(path: Path) -> None:
    name = module_name(path)
    if within(name, *FRONT_DOOR) or name == "gatewatch.__main__":
        return
    assert not [target for target in imported(path) if within(target, *FRONT_DOOR)]
