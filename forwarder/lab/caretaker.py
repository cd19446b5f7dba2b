"""Looks after a lab for whoever runs one: what the kernel forgot is put back, and the namespaces follow the network."""

from __future__ import annotations

import time
from collections.abc import Callable
from sqlite3 import Error as DatabaseError

import structlog
from pyroute2.netlink.exceptions import NetlinkError

from forwarder.control.store import Store
from forwarder.lab.attachment import attachments
from forwarder.lab.lab import Lab, NoLab
from forwarder.lab.privilege import BadEnvironment
from forwarder.lab.repair import repair
from gatewatch.repeated_error import RepeatedError

log = structlog.get_logger("lab")

#: Time between two looks at the kernel, and at the state store.
REPAIR_S = 5.0
FOLLOW_S = 0.5


class Caretaker:
    """Call `look` often; `lab` is the lab as it is now."""

    def __init__(self, lab: Lab, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`store` has the network; `clock` gives seconds that only run forward."""
        self.lab = lab
        self._store = store
        self._clock = clock
        self._repair_due_s = clock() + REPAIR_S
        self._follow_due_s = clock() + FOLLOW_S
        self._revision = -1
        self._begun = False
        self._repeated = RepeatedError(log)

    def look(self) -> list[str]:
        """What was put back or changed just now, in sentences; nothing before the next look is due.

        What cannot be done is logged, and tried again.
        """
        now_s = self._clock()
        done: list[str] = []
        if now_s >= self._follow_due_s:
            self._follow_due_s = now_s + FOLLOW_S
            done += self._attempt(self._follow)
        if now_s >= self._repair_due_s:
            self._repair_due_s = now_s + REPAIR_S
            done += self._attempt(self._repair)
        return done

    def _attempt(self, act: Callable[[], list[str]]) -> list[str]:
        try:
            return act()
        except (OSError, NetlinkError, BadEnvironment, NoLab, DatabaseError):  # the runner's loop goes on, and this is tried again
            self._repeated.exception("the lab's network cannot be looked after")
            return []

    def _follow(self) -> list[str]:
        """Nothing when the network is as it was, or is not this lab's yet: a store may have that of an earlier one, until the lab's
        inventory is imported."""
        revision = self._store.revision()
        if revision == self._revision:
            return []
        network = self._store.network()
        places = [*(node.netns for node in network.nodes), *(endpoint.netns for endpoint in network.endpoints)]
        self._begun |= any(netns.startswith(f"{self.lab.name}-") for netns in places)
        if not self._begun:
            return []
        for thing, place in attachments(self.lab.name, network).items():
            self._store.attach(thing, place)
            log.info("attached", what=thing, device=place.device)
        revision, network = self._store.revision(), self._store.network()
        done: list[str] = []
        if network != self.lab.inventory:
            self.lab = self.lab.follow(network, before_step=done.append)
            log.info("the lab followed the network", steps=len(done))
        self._revision = revision
        return [f"the lab followed the network, in {len(done)} steps"] if done else []

    def _repair(self) -> list[str]:
        put_back = repair(self.lab.plan)
        for what in put_back:
            log.warning("put back", what=what)
        return [f"put back {what}" for what in put_back]
