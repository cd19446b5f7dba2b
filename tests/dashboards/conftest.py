"""The small lake, written once for all tests of the console, and a console over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.console import Console
from tests.dashboards.small_lake import console_of, fill


@pytest.fixture(scope="session")
def small_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the small lake."""
    data = tmp_path_factory.mktemp("small-lake")
    fill(data)
    return data


@pytest.fixture
def console(small_lake: Path) -> Iterator[Console]:
    """A console over the small lake, its clock at the lake's end."""
    made = console_of(small_lake)
    yield made
    made.close()


@pytest.fixture
def own_lake(tmp_path: Path) -> Iterator[tuple[Path, Console]]:
    """A small lake that a test may change, and a console at its end."""
    fill(tmp_path)
    made = console_of(tmp_path)
    yield tmp_path, made
    made.close()


@pytest.fixture
def empty_console(tmp_path: Path) -> Iterator[Console]:
    """A console over a data folder in which nothing was ever written."""
    made = console_of(tmp_path)
    yield made
    made.close()
