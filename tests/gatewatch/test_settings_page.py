"""The settings table as people read it."""

from __future__ import annotations

import pytest

from gatewatch.settings import entries
from gatewatch.settings_page import markdown_page, show_settings


def test_the_page_has_a_line_for_each_setting() -> None:
    lines = markdown_page().splitlines()
    for entry in entries():
        line = next(line for line in lines if line.startswith(f"| `{entry.name}` |"))
        assert entry.help.replace("|", "\\|") in line


def test_the_terminal_shows_names_and_limits(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "240")
    show_settings(markdown=False)
    shown = capsys.readouterr().out
    assert "capture_window_s" in shown
    assert "1 to 600" in shown
