"""The Dash application: index page, frame, pages, security headers and the address for health checks.

Everything is served from here; the content security policy forbids the browser to ask anyone else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dash
import structlog
from dash import Dash, set_props
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from dashboards import frame, navigation, theme, widgets
from dashboards.console import Console
from dashboards.pages import PAGES_WITH_CALLBACKS
from gatewatch.host_names import names_of

log = structlog.get_logger()

#: `unsafe-inline` and `unsafe-eval` are for Dash's own inline configuration and ag-grid's and Plotly's generated code;
#: no address but ours is allowed for anything.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
#: Longest body of a request: a callback's has the page's state and, on the SQL page, one statement.
BODY_BYTES_MAX = 1 << 20

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
        assets_folder=str(Path(__file__).parent / "assets"), suppress_callback_exceptions=True,
        serve_locally=True, index_string=_INDEX.replace("STYLE", theme.style_sheet()),
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
        on_error=lambda error: _callback_failed(console, error),
    )
    app.layout = frame.layout(console.settings)
    navigation.register(app, console)
    for page in PAGES_WITH_CALLBACKS:
        page.register(app, console)
    _serve_health(app.server, console)
    _protect(app.server, console)
    # Dash sets itself up at the first request for `/`; a first request for another page would get one without scripts.
    app._setup_server()
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


def _refusal(request: Request) -> Response | None:
    """An answer to a body that would be read into memory whole and is too long, or does not say how long it is."""
    length = request.headers.get("content-length", "")
    if "transfer-encoding" in request.headers:
        return JSONResponse({"detail": "a body needs a Content-Length"}, 411)
    # The server has made sure that it is a number.
    if len(length) > len(str(BODY_BYTES_MAX)) or int(length or 0) > BODY_BYTES_MAX:
        return JSONResponse({"detail": f"the body is larger than {BODY_BYTES_MAX} bytes"}, 413)
    return None


def _protect(server: FastAPI, console: Console) -> None:
    @server.middleware("http")
    async def headers(request: Request, call_next: Any) -> Response:
        response: Response = _refusal(request) or await call_next(request)
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    server.add_middleware(TrustedHostMiddleware, allowed_hosts=names_of(console.settings.console_host), www_redirect=False)
