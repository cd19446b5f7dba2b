"""Callbacks that keep a page alive: run when its state, the tick, the theme or the zone changes.

While one runs, its `busy` flag is up in the browser, and the browser gives no tick until all flags are down
(`assets/console.js`): a refresh slower than its interval is skipped, never piled up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from dash import Dash, Input, Output, dcc
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboards.console import Console, Look

Render = Callable[..., Any]
Function = TypeVar("Function", bound=Callable[..., Any])


def callback(app: Dash, *arguments: Any, **options: Any) -> Callable[[Function], Function]:
    """`app.callback` with a type.  The function must be a coroutine that never blocks (see `console.py`)."""
    decorate: Callable[[Function], Function] = app.callback(*arguments, **options)
    return decorate


def busy_flag(name: str) -> Component:
    """The flag of the live callback called `name`; it belongs into the layout that has the callback's outputs."""
    return dcc.Store(id={"type": "busy", "name": name}, data=False)


def live(
    app: Dash, console: Console, name: str, outputs: Sequence[Output], *, page: str = "", inputs: Sequence[Input] = ()
) -> Callable[[Render], Render]:
    """Make a function `(look, *input values) -> values of outputs` a live callback of `page` (empty: every page)."""

    def register(render: Render) -> Render:
        def work(href: str, theme: str, zone: str | None, more: tuple[Any, ...]) -> Any:
            look: Look = console.look(href, theme, zone)
            if page and look.state.page != page:
                raise PreventUpdate  # the reader has gone on to another page
            return render(look, *more)

        @callback(
            app,
            list(outputs),
            [Input("state", "data"), Input("tick", "data"), Input("theme", "data"), Input("zone", "data"), *inputs],
            running=[(Output({"type": "busy", "name": name}, "data"), True, False)],
        )
        async def run(href: str | None, tick: Any, theme: str | None, zone: str | None, *more: Any) -> Any:
            if href is None or theme is None:
                raise PreventUpdate
            return await console.in_thread(work, href, theme, zone, more)

        return render

    return register
