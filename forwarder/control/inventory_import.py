"""The inventory file, imported into the state store when it changes, as a difference; a wrong file changes nothing.

Any process may import: a file that says what the store has changes nothing.  A file is read once two looks at it found the same,
since half of one that is being written can be an inventory too.  What comes of it has an audit event in the same transaction.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from time import sleep

import structlog

from forwarder.control.audit import put_in_outbox
from forwarder.control.identity import user_arn
from forwarder.control.network_state import Difference, Name, put_whole, read_network
from forwarder.control.store import Store, counting_changes
from forwarder.inventory import BadInventory, Inventory, problems, read_inventory
from gatewatch.records.audit_event import EVENT_VERSION, AuditEvent, UserIdentity, encode, event_time
from gatewatch.settings import Settings

#: Between two looks at a file that just changed, for who cannot wait for the next.
SETTLE_S = 0.05
#: Ids of one sort told in an audit event.
IDS_MAX = 50


class InventoryImport:
    """Follows one file; for several threads.

    `problem` is what is wrong with the file, empty when it was taken over or is not there; `usable` raises `ValueError` for a
    network that cannot be forwarded in.
    """

    def __init__(
        self, store: Store, settings: Settings, *, clock_s: Callable[[], float], usable: Callable[[Inventory], object],
    ) -> None:
        self.path = settings.inventory_path
        self.problem = ""
        self._store = store
        self._settings = settings
        self._clock_s = clock_s
        self._usable = usable
        self._seen: tuple[int, int, int] | None = None
        self._done: tuple[int, int, int] | None = None
        self._looking = threading.Lock()
        self._log = structlog.get_logger()

    @property
    def exists(self) -> bool:
        """Whether there is a file."""
        return self.path.exists()

    def now(self) -> None:
        """Import what the file says at this moment: who has just written it may name its subnets in a call."""
        self.look()
        if self._seen != self._done:
            sleep(SETTLE_S)
            self.look()

    def look(self) -> None:
        """Import the file if it is another than that imported last, and the same as at the look before."""
        with self._looking:
            identity = self._identity()
            if identity == self._seen and identity != self._done:
                self._import()
                self._done = identity
            self._seen = identity
            if identity is None:
                self._done = None

    def _identity(self) -> tuple[int, int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            self.problem = ""
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _import(self) -> None:
        try:
            difference = self._take_over(read_inventory(self.path))
        except BadInventory as error:
            self._note(str(error))
            return
        self._note("")
        if difference:
            self._log.info(
                "inventory imported", path=str(self.path), added=len(difference.added), changed=len(difference.changed),
                removed=len(difference.removed),
            )

    def _take_over(self, inventory: Inventory) -> Difference:
        with self._store.writing() as connection, counting_changes(connection):
            difference = put_whole(connection, inventory)
            if difference:
                self._check(read_network(connection))
                event = import_event(self._settings, self.path, difference, self._clock_s())
                put_in_outbox(connection, encode(event, self._settings.message_bytes_max))
        return difference

    def _check(self, network: Inventory) -> None:
        for problem in problems(network):
            raise BadInventory(f"the inventory {self.path} does not go with what the API made: {problem}")
        try:
            self._usable(network)
        except ValueError as error:
            raise BadInventory(f"the inventory {self.path} cannot be used: {error}") from error

    def _note(self, problem: str) -> None:
        if problem and problem != self.problem:
            self._log.warning("the inventory cannot be used; going on with the network there was", problem=problem)
        self.problem = problem


def import_event(settings: Settings, path: Path, difference: Difference, now_s: float) -> AuditEvent:
    """The record of an import.  No client asked for it, so it is an event of the service (CloudTrail user guide, "AWS service
    events"), named by gatewatch."""
    return AuditEvent(
        event_version=EVENT_VERSION,
        user_identity=UserIdentity(
            type="AWSService", principal_id="gatewatch", arn=user_arn(settings.account_id, "gatewatch"),
            account_id=settings.account_id, access_key_id="", user_name="gatewatch",
        ),
        event_time=event_time(now_s), event_source="ec2.amazonaws.com", event_name="ImportInventory",
        aws_region=settings.region, source_ip_address="gatewatch", user_agent="gatewatch",
        request_parameters={"path": str(path)},
        response_elements={
            "added": _ids(difference.added), "changed": _ids(difference.changed), "removed": _ids(difference.removed),
        },
        request_id=str(uuid.uuid4()), event_id=str(uuid.uuid4()), read_only=False, event_type="AwsServiceEvent",
        api_version="2016-11-15", management_event=True, recipient_account_id=settings.account_id, event_category="Management",
    )


def _ids(names: tuple[Name, ...]) -> list[str]:
    more = [f"and {len(names) - IDS_MAX} more"] if len(names) > IDS_MAX else []
    return [thing for _, thing in names[:IDS_MAX]] + more
