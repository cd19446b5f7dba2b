"""The console as a service: `serve(settings)` answers on `console_host:console_port` until SIGTERM or SIGINT."""

from __future__ import annotations

import socket
import threading
import time

import structlog
import uvicorn

from dashboards.app import make_app
from dashboards.console import Console
from gatewatch.service import set_up_logging, stop_event
from gatewatch.settings import Settings
from gatewatch.status_file import write_status

log = structlog.get_logger()

STATUS_INTERVAL_S = 1.0
#: How long open requests may go on after the signal.
STOP_S_MAX = 3


def serve(settings: Settings) -> None:
    """Run the console.  Raises `OSError` when the address is taken."""
    set_up_logging(settings.log_level)
    stop = stop_event()
    console = Console(settings)
    try:
        run(console, stop)
    finally:
        console.close()


def run(console: Console, stop: threading.Event) -> None:
    """Serve `console` until `stop` is set, writing its status once a second.

    uvicorn runs in a thread of its own, where it leaves signals alone: ours set the event that the loop here waits on.
    """
    settings = console.settings
    listener = socket.create_server((settings.console_host, settings.console_port), backlog=128)
    app = make_app(console)
    server = uvicorn.Server(uvicorn.Config(
        app.server, log_level="warning", access_log=False, timeout_graceful_shutdown=STOP_S_MAX,
    ))
    thread = threading.Thread(target=server.run, args=([listener],), name="console-http", daemon=True)
    thread.start()
    log.info("console serves", url=f"http://{settings.console_host}:{settings.console_port}")
    try:
        while not stop.wait(STATUS_INTERVAL_S) and thread.is_alive():
            write_status(settings.data_path, "console", time.time(), console.status())
    finally:
        server.should_exit = True
        thread.join(STOP_S_MAX + 2)
        listener.close()
