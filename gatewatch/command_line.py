"""Makes command-line flags of the settings table, so that each command takes the settings its service reads."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from gatewatch.settings import BadSetting, SettingEntry, Settings, entries, load

_CONFIG = inspect.Parameter(
    "config",
    inspect.Parameter.KEYWORD_ONLY,
    default=None,
    annotation=Annotated[
        str | None, typer.Option("--config", help="settings file (TOML)", metavar="path", rich_help_panel="Settings")
    ],
)


def with_settings(
    service: str | None, defaults: Mapping[str, Any] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the flags of `service` (None: of every service); its parameter `settings` gets the outcome.

    `defaults` are the command's own, where they differ from the table's.
    """
    own_defaults = dict(defaults or {})

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        table = {entry.name: entry for entry in entries(service)}
        own = [p for p in inspect.signature(function, eval_str=True).parameters.values() if p.name != "settings"]

        @functools.wraps(function)
        def command(**values: Any) -> None:
            flags = {name: values.pop(name) for name in table}
            function(settings=_load_or_exit(flags, values.pop("config"), own_defaults), **values)

        setting_flags = [_flag(entry, own_defaults.get(entry.name, entry.default)) for entry in table.values()]
        parameters = [*own, _CONFIG, *setting_flags]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        del command.__wrapped__
        return command

    return decorate


def _flag(entry: SettingEntry, default: Any) -> inspect.Parameter:
    facts = [entry.help, entry.allowed, "" if default == "" else f"default {default}"]
    option = typer.Option(
        entry.flag,
        help="; ".join(filter(None, facts)),
        metavar=entry.unit or "text",
        show_default=False,
        rich_help_panel="Settings (also GATEWATCH_<NAME> in the environment)",
    )
    return inspect.Parameter(
        entry.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, option]
    )


def _load_or_exit(flags: dict[str, Any], config: str | None, defaults: Mapping[str, Any]) -> Settings:
    try:
        return load(flags, config_file=Path(config) if config is not None else None, defaults=defaults)
    except BadSetting as error:
        typer.echo(f"gatewatch: {error}", err=True)
        raise typer.Exit(2) from None


class _AsGiven:
    """What typer asks to convert a value that needs no conversion: it would import pydantic for that, for a tenth of a second."""

    def coerce(self, value: Any, **_: Any) -> Any:
        return value


def without_pydantic(command: Any) -> None:
    """Have the texts among a typer command's parameters, and its `--help`, taken as they are.

    Typer has no public way to say so; were its attribute to go, commands would only be slower (`tests/structure/
    test_start_up.py` says so).
    """
    for parameter in command.get_params(typer.Context(command)):
        descriptor = getattr(parameter, "type_descriptor", None)
        if descriptor is not None and descriptor.annotation in (str, bool) and parameter.nargs == 1:
            parameter._runtime_param = _AsGiven()
    for below in getattr(command, "commands", {}).values():
        without_pydantic(below)
