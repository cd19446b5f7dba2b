"""Runs calls: the operation and its audit event in one transaction, whatever comes of it."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from forwarder.control.audit import audit_event, put_in_outbox
from forwarder.control.context import Context
from forwarder.control.network_state import read_network
from forwarder.control.operation import Served
from forwarder.control.store import Store, counting_changes
from gatewatch.aws.call import Call
from gatewatch.aws.error import AwsError
from gatewatch.aws.services import SERVICES
from gatewatch.records.audit_event import encode
from gatewatch.settings import Settings


def new_number() -> str:
    """A random number of 16 hexadecimal digits, as in ARNs."""
    return secrets.token_hex(8)


class Handler:
    """The backend of the API (`gatewatch.aws.call.Backend`) for the services that work on the state store, which `served` lists.

    `import_network` is called before each call, `clock_s` gives epoch seconds, `on_audit` is called after each commit.
    """

    def __init__(
        self, store: Store, settings: Settings, served: Served, *, clock_s: Callable[[], float],
        import_network: Callable[[], None] = lambda: None, number: Callable[[], str] = new_number,
        on_audit: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._served = served
        self._import_network = import_network
        self._clock_s = clock_s
        self._number = number
        self._on_audit = on_audit
        self._log = structlog.get_logger()

    def operations(self, service: str) -> frozenset[str]:
        """The operations of a service that are served."""
        return frozenset(self._served.get(service, ()))

    def __call__(self, call: Call) -> Mapping[str, Any]:
        """Do it; `AwsError` for every refusal.  What cannot be recorded is not done: `ServiceUnavailable`."""
        now_s = self._clock_s()
        try:
            self._import_network()
            with self._store.writing() as connection:
                self._check_outbox(connection)
                result, error = self._outcome(connection, call, now_s)
                self._record(connection, call, result, error, now_s)
        except sqlite3.Error as failure:
            self._log.error("state store failed", operation=call.operation, error=str(failure))
            raise AwsError("ServiceUnavailable", "The state store cannot be written", 503) from failure
        self._on_audit()
        if error is not None:
            raise error
        return result

    def _check_outbox(self, connection: sqlite3.Connection) -> None:
        first, last = connection.execute("SELECT min(id), max(id) FROM audit_outbox").fetchone()
        held = 0 if first is None else last - first + 1
        if held >= self._settings.audit_outbox_max:
            raise AwsError(
                "ServiceUnavailable",
                f"{held} audit events wait for the bus; no call is taken that could not be recorded", 503,
            )

    def _outcome(
        self, connection: sqlite3.Connection, call: Call, now_s: float
    ) -> tuple[Mapping[str, Any], AwsError | None]:
        connection.execute("SAVEPOINT call")
        try:
            with counting_changes(connection):
                result = self._run(connection, call, now_s)
        except AwsError as error:
            connection.execute("ROLLBACK TO call")
            return {}, error
        except sqlite3.OperationalError:
            raise
        except Exception as failure:
            # A fault of gatewatch's must not end the service, nor go unrecorded.
            self._log.exception("operation failed", operation=call.operation, error=repr(failure))
            connection.execute("ROLLBACK TO call")
            return {}, AwsError("InternalFailure", "The request failed because of an internal fault; see the log", 500)
        return result, None

    def _run(self, connection: sqlite3.Connection, call: Call, now_s: float) -> Mapping[str, Any]:
        if call.refusal is not None:
            raise call.refusal
        operation = self._served[call.service][call.operation]
        strangers = sorted(call.parameters.keys() - operation.members)
        if strangers:
            code = SERVICES[call.service].validation_code
            raise AwsError(code, f"{', '.join(strangers)} cannot be specified: gatewatch has nothing to do with it")
        return operation.run(self._context(connection, call, now_s), call.parameters)

    def _context(self, connection: sqlite3.Connection, call: Call, now_s: float) -> Context:
        return Context(
            connection=connection,
            inventory=read_network(connection),
            account_id=self._settings.account_id,
            region=self._settings.region,
            caller=call.caller,
            now_s=now_s,
            number=self._number,
        )

    def _record(
        self, connection: sqlite3.Connection, call: Call, result: Mapping[str, Any], error: AwsError | None,
        now_s: float,
    ) -> None:
        event = audit_event(
            call, result=result, error=error, account_id=self._settings.account_id, region=self._settings.region,
            now_s=now_s,
        )
        put_in_outbox(connection, encode(event, self._settings.message_bytes_max))
