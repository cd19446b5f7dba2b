"""The reference pages say what the code says, and every link in the documents leads somewhere."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from gatewatch.settings import entries as settings_entries

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", sorted(generator().PAGES))
def test_a_reference_page_is_up_to_date(page: str) -> None:
    written = (ROOT / "docs" / "reference" / page).read_text(encoding="utf-8")
    assert written == generator().PAGES[page](), "run `make docs`"


def test_every_setting_that_bounds_something_is_among_the_bounds() -> None:
    entries = tomllib.loads((ROOT / "docs" / "bounds.toml").read_text(encoding="utf-8"))["bound"]
    bounds = [entry["bound"] for entry in entries]
    assert len(set(bounds)) == len(bounds)
    assert {entry.name for entry in settings_entries() if entry.name.endswith("_max")} <= set(bounds)
    assert [entry["test"] for entry in entries if not (ROOT / entry["test"]).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert not [link for link in local if not (document.parent / link).exists()]
