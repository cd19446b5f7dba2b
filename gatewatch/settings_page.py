"""What `gatewatch settings` prints, and the page of the documents made of the same table."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from gatewatch.settings import SettingEntry, entries


def show_settings(*, markdown: bool) -> None:
    """Print the settings table for a terminal, or as Markdown."""
    if markdown:
        typer.echo(markdown_page())
        return
    console = Console()
    for entry in entries():
        unit = f" {entry.unit}" if entry.unit and str(entry.default) and entry.unit not in ("text", "path") else ""
        allowed = f"  [dim]({escape(entry.allowed)})[/dim]" if entry.allowed else ""
        default = escape(str(entry.default)) or "[dim]empty[/dim]"
        console.print(f"[bold]{entry.name}[/bold] = {default}{unit}{allowed}", highlight=False, soft_wrap=True)
        console.print(Padding(escape(entry.help), (0, 0, 0, 4)), highlight=False)
    typer.echo("\nEach is a flag (--capture-window-s 10), an environment variable\n(GATEWATCH_CAPTURE_WINDOW_S=10) "
               "and a key of the file given by --config, in that\norder of precedence.")


def markdown_page() -> str:
    """The table as `docs/reference/settings.md`."""
    lines = [
        "# Settings",
        "",
        "Each is a flag (`--capture-window-s 10`), an environment variable (`GATEWATCH_CAPTURE_WINDOW_S=10`) and a key of the",
        "file given by `--config` (TOML), in that order of precedence. Made from `gatewatch/settings.py` by `make docs`.",
        "",
        "| Setting | Default | Allowed | Unit | Read by | What it is |",
        "|---|---|---|---|---|---|",
    ]
    for entry in entries():
        name, default, allowed, unit, about = (text.replace("|", "\\|") for text in _cells(entry))
        lines.append(
            f"| `{name}` | {f'`{default}`' if default else ''} | {allowed} | {unit} | {', '.join(entry.services)} | {about} |"
        )
    return "\n".join(lines) + "\n"


def _cells(entry: SettingEntry) -> tuple[str, str, str, str, str]:
    return entry.name, str(entry.default), entry.allowed, entry.unit, entry.help
