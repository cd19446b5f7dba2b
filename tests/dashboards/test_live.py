from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from dash import Dash, Output
from dash.exceptions import PreventUpdate

from dashboards.console import Console
from dashboards.live import busy_flag, live


class Recorder(Dash):  # type: ignore[misc]
    """Keeps what is registered instead of registering it."""

    def __init__(self) -> None:
        self.function: Any = None
        self.options: dict[str, Any] = {}

    def callback(self, *arguments: Any, **options: Any) -> Any:
        def keep(function: Any) -> Any:
            self.function, self.options = function, options
            return function

        return keep


def registered(console: Console) -> Recorder:
    app = Recorder()
    live(app, console, "flows", [Output("out", "children")], page="flows")(lambda look: [look.state.page, look.palette.name])
    return app


def test_a_live_callback_renders_the_look_without_blocking(console: Console) -> None:
    app = registered(console)
    assert inspect.iscoroutinefunction(app.function)
    assert asyncio.run(app.function("/flows", 1, "dark", "UTC")) == ["flows", "dark"]


@pytest.mark.parametrize("arguments", [(None, 1, "dark", "UTC"), ("/flows", 1, None, "UTC"), ("/sql", 1, "dark", "UTC")])
def test_it_waits_for_state_and_theme_and_leaves_other_pages_alone(console: Console, arguments: tuple[Any, ...]) -> None:
    app = registered(console)
    with pytest.raises(PreventUpdate):
        asyncio.run(app.function(*arguments))


def test_its_flag_is_up_while_it_runs(console: Console) -> None:
    output, during, after = registered(console).options["running"][0]
    assert (output.component_id, during, after) == (busy_flag("flows").id, True, False)
