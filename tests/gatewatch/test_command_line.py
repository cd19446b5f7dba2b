"""Flags made from the settings table, as a user of the command line meets them."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from gatewatch.command_line import with_settings
from gatewatch.settings import Settings

app = typer.Typer()


@app.command()
@with_settings("forwarder", {"capture_window_s": 10})
def show(settings: Settings, times: int = 1) -> None:
    """Print two settings."""
    typer.echo(f"{settings.capture_window_s} {settings.flows_max} {times}")


@pytest.mark.parametrize(
    ("arguments", "environment", "output"),
    [
        ([], {}, "10 200000 1"),
        (["--flows-max", "99", "--times", "2"], {}, "10 99 2"),
        ([], {"GATEWATCH_CAPTURE_WINDOW_S": "60"}, "60 200000 1"),
        (["--capture-window-s", "5"], {"GATEWATCH_CAPTURE_WINDOW_S": "60"}, "5 200000 1"),
    ],
)
def test_flags_and_environment_reach_the_command(
    arguments: list[str], environment: dict[str, str], output: str
) -> None:
    result = CliRunner().invoke(app, arguments, env=environment)
    assert (result.exit_code, result.output.strip()) == (0, output)


def test_a_bad_flag_ends_with_2_and_a_plain_line() -> None:
    result = CliRunner().invoke(app, ["--flows-max", "many"])
    assert result.exit_code == 2
    assert "gatewatch: setting flows_max is 'many'; allowed: 16 to 10000000 flows" in result.output


def test_help_shows_the_commands_own_default_and_only_its_services_settings() -> None:
    output = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"}).output
    assert "default 10" in output
    assert "--api-port" not in output
