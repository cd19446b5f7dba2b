"""The API service: the AWS API on its port, the audit relay, the inventory and the status file."""

from __future__ import annotations

import socket
import sqlite3
import threading
import time
from functools import partial
from pathlib import Path

import structlog
import uvicorn

from forwarder.control import identity
from forwarder.control.audit_outbox import OutboxRelay
from forwarder.control.handler import Handler
from forwarder.control.inventory_import import InventoryImport
from forwarder.control.operation import Served
from forwarder.control.store import Store
from forwarder.ec2 import operations as ec2
from forwarder.elbv2 import operations as elbv2
from forwarder.start_up import check_network
from gatewatch.aws.credentials import BadCredentials, read_credentials
from gatewatch.aws.dispatch import Dispatcher
from gatewatch.aws.http_protocol import protocol_of
from gatewatch.aws.server import application
from gatewatch.bus import hand_over, open_publisher
from gatewatch.bus.spool import SpoolHeld
from gatewatch.database.kind import BadDatabase
from gatewatch.host_names import names_of
from gatewatch.repeated_error import RepeatedError
from gatewatch.service import stop_event
from gatewatch.settings import Settings
from gatewatch.status_file import write_status

SERVICE = "api"

#: What the API serves, by AWS service (botocore's name); each service's room lists its operations.
SERVED: Served = {"elbv2": elbv2.OPERATIONS, "ec2": ec2.OPERATIONS, "sts": identity.OPERATIONS}
STATUS_S = 1.0

#: Connections the kernel holds until they are accepted.
BACKLOG = 128

#: How long requests under way may take once the service is told to stop.
GRACE_S = 5


class ApiService:
    """The parts and how they start and stop.  `settings` and an open store make it; nothing runs before `start`."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._errors = 0
        self._repeated = RepeatedError(structlog.get_logger(SERVICE))
        self._inventory = InventoryImport(store, settings, clock_s=time.time, usable=partial(check_network, settings))
        self._publisher = open_publisher(settings, SERVICE)
        self._relay = OutboxRelay(
            store, self._publisher, key=settings.account_id, message_bytes_max=settings.message_bytes_max
        )
        self._handler = Handler(
            store, settings, SERVED, import_network=self._inventory.now, clock_s=time.time, on_audit=self._relay.wake
        )
        credentials = read_credentials(Path(settings.api_credentials)) if settings.api_credentials else None
        self._dispatcher = Dispatcher(self._handler, credentials=credentials, clock_s=time.time)
        protocol, self._port = protocol_of(
            client_max=settings.api_client_requests_max, total_max=settings.api_requests_max, head_time_s=settings.api_head_s
        )
        self._server = uvicorn.Server(uvicorn.Config(
            application(
                self._dispatcher, body_bytes_max=settings.api_body_bytes_max, names=names_of(settings.api_host)
            ),
            log_level="warning", access_log=False, lifespan="off",
            http=protocol, timeout_keep_alive=30, timeout_graceful_shutdown=GRACE_S,
            server_header=False,
        ))

    def start(self) -> None:
        """Import the inventory, then serve; `OSError` if the port cannot be had, and then nothing was started."""
        listener = _listener(self._settings.api_host, self._settings.api_port)
        self._inventory.now()
        self._relay.start()
        # Outside the main thread uvicorn leaves the signals alone, which are gatewatch.service's.
        self._serving = threading.Thread(target=self._server.run, args=([listener],), name="api-server")
        self._serving.start()

    @property
    def alive(self) -> bool:
        """Whether the port is still served."""
        return self._serving.is_alive()

    def tick(self, now_s: float) -> None:
        """Once a second: has the inventory changed, and the status file."""
        self._inventory.look()
        write_status(self._settings.data_path, SERVICE, now_s, {
            **self._dispatcher.counts(), "port": self._port.status(),
            "audit": self._relay.counts(),
            "inventory_problem": self._inventory.problem, "status_errors": self._errors,
            "bus": self._publisher.counts(),
        })

    def attempt_tick(self, now_s: float) -> None:
        """`tick`, but a full disk or a locked file only keeps the status from being told: calls are answered on."""
        try:
            self.tick(now_s)
        except (OSError, sqlite3.Error):
            self._errors += 1
            self._repeated.exception("the status could not be told; the API serves on", errors=self._errors)

    def stop(self) -> None:
        """Finish the requests under way, hand their events over, write the last status, close the bus."""
        self._server.should_exit = True
        self._serving.join()
        self._relay.stop()
        hand_over(self._publisher)
        self.attempt_tick(time.time())
        self._publisher.close()

    def close(self) -> None:
        """Let go of the bus without having started."""
        self._publisher.close()


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; `SystemExit` with a message if it cannot."""
    stop = stop_event()
    try:
        store = Store.open(settings.data_path / "state.sqlite")
        service = ApiService(settings, store)
    except (BadDatabase, BadCredentials, SpoolHeld) as error:
        raise SystemExit(str(error)) from error
    try:
        service.start()
    except OSError as error:
        service.close()
        store.close()
        address = f"{settings.api_host}:{settings.api_port}"
        raise SystemExit(f"the AWS API cannot listen on {address}: {error.strerror}") from error
    log = structlog.get_logger()
    log.info("api listens", host=settings.api_host, port=settings.api_port)
    try:
        while service.alive and not stop.is_set():
            service.attempt_tick(time.time())
            stop.wait(STATUS_S)
        ended_by_itself = not stop.is_set()
    finally:
        # Whatever ended the loop ends the port's thread, too: it would serve on without status, and nobody start it again.
        service.stop()
        store.close()
    if ended_by_itself:
        raise SystemExit("the AWS API's server ended without being told to; its log says why")
