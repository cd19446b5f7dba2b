"""The tests mirror the sources: `forwarder/engine/flow_table.py` has `tests/forwarder/engine/test_flow_table.py`.

`WITHOUT` lists the modules that another test covers, with which; it may only shrink, so an entry whose module has got a
test file of its own fails too.
"""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("gatewatch", "forwarder", "ingest", "queries", "dashboards")

WITHOUT: dict[str, str] = {
    "gatewatch/__main__.py": "every test that runs `python -m gatewatch`",
    "gatewatch/lab_commands.py": "tests/forwarder/lab, tests/end_to_end/test_split_deployment.py",
    "gatewatch/records/alarm_event.py": "tests/gatewatch/records/test_tables.py",
    "gatewatch/records/appliance_access.py": "tests/gatewatch/records/test_tables.py",
    "gatewatch/records/domain.py": "tests/ingest/test_json_decode.py",
    "gatewatch/records/target_health.py": "tests/gatewatch/records/test_tables.py",
    "gatewatch/records/topics.py": "tests/gatewatch/records/test_tables.py",
}

SOURCES = sorted(
    str(path.relative_to(ROOT)) for room in ROOMS for path in (ROOT / room).rglob("*.py") if path.name != "__init__.py"
)


def mirror(source: str) -> Path:
    path = Path(source)
    return ROOT / "tests" / path.parent / f"test_{path.name}"


@pytest.mark.parametrize("source", SOURCES)
def test_a_module_has_its_test_file(source: str) -> None:
    assert mirror(source).exists() != (source in WITHOUT), (
        f"{source}: {'take it off the list WITHOUT' if source in WITHOUT else f'write {mirror(source).relative_to(ROOT)}'}"
    )


def test_the_list_of_exceptions_names_real_files() -> None:
    assert set(WITHOUT) <= set(SOURCES)
