"""`gatewatch status` and `gatewatch health`: what they print and what their exit status says."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from gatewatch.settings import Settings
from gatewatch.status_file import write_status
from gatewatch.status_view import overall_health, service_health, show_status, silence
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


def test_what_a_service_meets_now_is_told_below_it(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    write_status(settings.data_path, "ingest", time.time(), {"problem": "a batch was not written: [Errno 28]"})
    write_status(settings.data_path, "alarms", time.time(), {"last_problem": ""})
    show_status(settings, "table")
    lines = capsys.readouterr().out.splitlines()
    ingest = next(number for number, line in enumerate(lines) if line.startswith("ingest"))
    assert lines[ingest + 1].strip() == "a batch was not written: [Errno 28]"


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


def test_what_others_wrote_is_printed_as_it_is(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names and notes can hold what the terminal library takes for markup."""
    hop = Hop(chain="packets", name="spool [/x]", unit="packets", received=1, sent=0, dropped={"[/y]": 1}, held=0)
    difference = Difference(chain="packets", what="[/z]", expected=1, found=2)
    odd = Chain(hops=[hop], differences=[difference], notes=["vpc-1 has the cidr '[/b]'"])
    monkeypatch.setattr("gatewatch.status_view.chain", lambda data: odd)
    write_status(settings.data_path, "appliance-[red]", time.time(), {})
    assert show_status(settings, "table") == 1
    output = capsys.readouterr().out
    assert all(word in output for word in ("spool [/x]", "[/y] 1", "[/z]: expected", "cidr '[/b]'", "appliance-[red]"))


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


def test_a_silent_service_is_told_below_books_that_balance(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gatewatch.status_view.chain", lambda data: BALANCED)
    monkeypatch.setenv("COLUMNS", "80")
    write_status(settings.data_path, "api", time.time(), {})
    write_status(settings.data_path, "ingest", time.time() - 583, {})
    assert show_status(settings, "table") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "Not heard of: ingest (9 min 43 s). What a silent service holds goes no further."


@pytest.mark.parametrize(("heard_s", "told"), [
    ({"api": 0.3, "ingest": 1.0}, ""),
    ({"api": 61.0, "ingest": 7500.0}, "No service runs: these are the last counts, from 1 min 1 s ago."),
    ({}, ""),
])
def test_what_silence_means(heard_s: dict[str, float], told: str) -> None:
    assert silence(heard_s) == told


def test_the_books_fit_eighty_columns(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    hop = Hop(chain="packets in the lake", name="handed to targets, in flow records", unit="packets", received=1_234_567, sent=0,
              dropped={"not_returned": 5, "no_healthy_target": 7}, held=0)
    monkeypatch.setattr("gatewatch.status_view.chain", lambda data: Chain(hops=[hop], differences=[], notes=[]))
    monkeypatch.setenv("COLUMNS", "80")
    show_status(settings, "table")
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    at = lines.index("handed to targets, in flow records  1,234,567          0         12          0")
    assert lines[at + 1:at + 3] == ["  no_healthy_target 7", "  not_returned 5"]


def test_an_unknown_service_is_answered_with_those_there_are(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    write_status(settings.data_path, "forwarder", time.time(), {})
    assert service_health(settings, "forwader") == 1
    assert capsys.readouterr().out == "forwader: has not written a status yet; those that have: forwarder\n"


def test_health_of_a_folder_in_which_nothing_ever_ran_is_not_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert overall_health(Settings(data=str(tmp_path))) == 1
    assert "no service has ever run" in capsys.readouterr().out


def test_health_says_what_is_wrong_or_that_nothing_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(data=str(tmp_path))
    write_status(tmp_path, "forwarder", time.time(), {})
    assert overall_health(settings) == 0
    assert capsys.readouterr().out == "Nothing is wrong.\n"
    write_status(tmp_path, "ingest", 5.0, {})
    assert overall_health(settings) == 1
    assert capsys.readouterr().out.startswith("critical: Nothing new gets into the lake: ingest is silent (since 1970-01-01 00:00:05 UTC)")
    write_status(tmp_path, "ingest", time.time(), {})
    write_status(tmp_path, "api", 5.0, {})
    assert overall_health(settings) == 0, "a warning is no outage"
    assert capsys.readouterr().out.startswith("warning: The AWS API does not answer")
