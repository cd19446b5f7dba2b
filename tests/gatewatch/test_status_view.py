"""`gatewatch status` and `gatewatch health`: what they print and what their exit status says."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from gatewatch.settings import Settings
from gatewatch.status_file import write_status
from gatewatch.status_view import service_health, show_status
from queries.books import Chain, Difference, Hop

BALANCED = Chain(
    hops=[Hop(chain="packets", name="endpoints", unit="packets", received=10, sent=7, dropped={"oversize": 3}, held=0)],
    differences=[], notes=["the alarms service never ran"],
)
DIFFERS = Chain(
    hops=BALANCED.hops, notes=[], differences=[Difference(chain="packets", what="packets in flow records", expected=10, found=9)]
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=str(tmp_path))


@pytest.mark.parametrize(("books", "status", "words"), [
    (BALANCED, 0, ["oversize 3", "note: the alarms service never ran", "The books balance."]),
    (DIFFERS, 1, ["expected 10, found 9", "The books do not balance."]),
])
def test_the_exit_status_says_whether_the_books_balance(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], books: Chain, status: int, words: list[str]
) -> None:
    monkeypatch.setattr("gatewatch.status_view.chain", lambda data: books)
    assert show_status(settings, "table") == status
    output = capsys.readouterr().out
    assert all(word in output for word in words)


def test_programs_get_json(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("gatewatch.status_view.chain", lambda data: DIFFERS)
    assert show_status(settings, "json") == 1
    output = json.loads(capsys.readouterr().out)
    assert (output["balanced"], output["differences"][0]["found"]) == (False, 9)


def test_without_a_data_folder_it_says_how_to_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show_status(Settings(data=str(tmp_path / "none")), "table") == 2
    assert "start with `gatewatch demo`" in capsys.readouterr().err


def test_a_service_is_healthy_while_it_writes_its_status(settings: Settings) -> None:
    assert service_health(settings, "api") == 1
    write_status(settings.data_path, "api", time.time() - 60, {})
    assert service_health(settings, "api") == 1
    write_status(settings.data_path, "api", time.time(), {})
    assert service_health(settings, "api") == 0


def test_an_output_there_is_none_of_is_refused(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert show_status(settings, "xml") == 2
    assert capsys.readouterr().err == "gatewatch: --output is 'xml'; allowed: table, json\n"
