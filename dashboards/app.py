"""The Dash application: index page, frame, pages, the address for health checks, and the door (`gate/`) before it all.

Everything is served from here; the content security policy forbids the browser to ask anyone else.
"""

from __future__ import annotations

from pathlib import Path

import dash
import structlog
from dash import Dash, set_props
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from dashboards import frame, navigation, theme, widgets
from dashboards.console import Console
from dashboards.gate.addresses import addresses_of
from dashboards.gate.middleware import Gate
from dashboards.gate.origins import origins_of
from dashboards.pages import PAGES_WITH_CALLBACKS

log = structlog.get_logger()

_ASSETS = Path(__file__).parent / "assets"

_INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
{%metas%}
<title>{%title%}</title>
<link rel="icon" type="image/svg+xml" href="/assets/favicon.svg">
{%css%}
<style>STYLE</style>
<script>
(function () {
  var wanted = new URLSearchParams(location.search).get("theme");
  try { wanted = wanted || localStorage.getItem("gatewatch-theme"); } catch (refused) { /* private window */ }
  var dark = wanted ? wanted === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
  document.documentElement.setAttribute("data-ag-theme-mode", dark ? "dark" : "light");
})();
</script>
</head>
<body>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>"""


def make_app(console: Console) -> Dash:
    """The application over a console; `app.server` is the ASGI application."""
    dash._dash_renderer._set_react_version("18.3.1")
    app = Dash(
        "gatewatch", backend="fastapi", title="gatewatch", update_title="", pages_folder="",
        assets_folder=str(_ASSETS), suppress_callback_exceptions=True,
        serve_locally=True, index_string=_INDEX.replace("STYLE", theme.style_sheet()),
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
        on_error=lambda error: _callback_failed(console, error),
    )
    # Dash's pages would keep a websocket open, which none of our callbacks uses.
    app.backend.websocket_capability = False
    app.layout = frame.layout(console.settings)
    navigation.register(app, console)
    for page in PAGES_WITH_CALLBACKS:
        page.register(app, console)
    _serve_health(app.server, console)
    # Dash sets itself up at the first request for `/`; a first request for another page would get one without scripts.
    app._setup_server()
    _protect(app, console)
    return app


def _callback_failed(console: Console, error: Exception) -> None:
    """The outermost loop of the console: count, log, tell the reader, go on."""
    console.callback_errors += 1
    log.error("console callback failed", error=repr(error), exc_info=error)
    set_props("notes", {"children": [widgets.note(
        f"{type(error).__name__} in a part of this page; it is in the console's log.", "red", "An error in gatewatch.",
    )]})


def _serve_health(server: FastAPI, console: Console) -> None:
    async def health() -> JSONResponse:
        return JSONResponse({"status": "ok", **console.status()})

    server.add_api_route("/health", health, methods=["GET"], include_in_schema=False)


def _protect(app: Dash, console: Console) -> None:
    # It is here that Dash learns the names of its own files, else at the first request for a page.
    app._generate_css_dist_html()
    app._generate_scripts_html()
    app.server.add_middleware(
        Gate, dash_app=app, console=console, origins=origins_of(console.settings), addresses=addresses_of(app, _ASSETS),
    )
