"""The prober: a process of its own beside the forwarder, so that no probe can ever hold up a packet.

It follows the state store, probes the targets of load balancers that have a listener, writes what it observed to the
store, and publishes each change of health.  The forwarder starts it again when it dies; it goes on from the store.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Sequence

import structlog

from forwarder.control.store import Observation, Store
from forwarder.datapath.steady_clock import SteadyClock
from forwarder.health.probe import Outcome, ProbeResult
from forwarder.health.probe_threads import ProbeThreads
from forwarder.health.schedule import Change, Key, Schedule
from forwarder.inventory import Inventory
from gatewatch.bus import Draft, Publisher, hand_over, open_publisher
from gatewatch.bus.json_drafts import json_drafts
from gatewatch.records import topics
from gatewatch.records.target_health import TargetHealthChange
from gatewatch.repeated_error import RepeatedError
from gatewatch.service import set_up_logging, stop_event
from gatewatch.settings import Settings, load
from gatewatch.status_file import write_status

log = structlog.get_logger("health")

#: Longest wait before the store is looked at again.
TURN_S = 0.1
STATUS_S = 1.0
#: Changes kept while the bus takes none; past it the oldest are given up and counted.
PENDING_CHANGES_MAX = 10_000


def serve(settings: Settings) -> None:
    """Probe until SIGTERM or SIGINT."""
    stop = stop_event()
    store = Store.open(settings.data_path / "state.sqlite")
    inventory = store.network()
    publisher = open_publisher(settings, "health")
    threads = ProbeThreads(_namespaces(inventory), settings.probe_threads_max)
    prober = Prober(settings, Schedule(inventory), threads, store, publisher)
    try:
        prober.run(stop)
    finally:
        threads.close()
        hand_over(publisher)
        publisher.close()
        store.close()


class Prober:
    """Ties schedule, threads, store and bus together."""

    def __init__(
        self, settings: Settings, schedule: Schedule, threads: ProbeThreads, store: Store, publisher: Publisher
    ) -> None:
        self._settings = settings
        self._schedule = schedule
        self._threads = threads
        self._store = store
        self._publisher = publisher
        self._clock = SteadyClock()
        self._repeated = RepeatedError(log)
        self._network: Inventory | None = None
        self._revision = -1
        self._pending: list[TargetHealthChange] = []
        self._changes = self._given_up = self._errors = 0
        self._status_due_s = 0.0

    def run(self, stop: threading.Event) -> None:
        """Turn after turn until `stop`."""
        while not stop.is_set():
            try:
                self.turn(TURN_S)
            except (sqlite3.Error, OSError, ValueError):  # the outermost loop: the store may be busy or the disk full
                self._errors += 1
                self._repeated.exception("the prober met an error and goes on", errors=self._errors)
                self._revision = -1
                self._tell_status(self._clock())
                stop.wait(TURN_S)

    def turn(self, wait_s: float) -> None:
        """Follow the store, start what is due, take what came, tell what changed."""
        now_s = self._clock()
        changes = self._follow(now_s)
        orders, started = self._schedule.due(now_s, self._threads.free)
        for order in orders:  # before anything that may fail: a target whose probe is under way gets no other
            self._threads.start(order)
        self._tell(changes + started)
        due_s = self._schedule.next_due_s()
        pause_s = wait_s if due_s is None else min(max(due_s - now_s, 0.0), wait_s)
        results = self._threads.wait(pause_s if self._threads.free else wait_s)
        self._tell_local_errors(results)
        self._tell([change for key, result in results for change in self._schedule.finished(key, result)])
        self._tell_status(now_s)

    def _follow(self, now_s: float) -> list[Change]:
        revision = self._store.revision()
        if revision == self._revision:
            return []
        desired = self._store.desired()
        self._follow_network(desired.network)
        changes = self._schedule.follow(desired, now_s)
        # Another hand may have reset a target's stored state; what was observed of it still holds.
        if self._observe(self._schedule.differing()):
            self._revision = desired.revision
        return changes

    def _tell_local_errors(self, results: Sequence[tuple[Key, ProbeResult]]) -> None:
        """A probe that could not be made leaves the target's state as it was, which nobody would notice."""
        for (_, target, address), result in results:
            if result.outcome is Outcome.LOCAL_ERROR:
                self._repeated.warning(
                    "a probe could not be made, so nothing new is known of its target", target=target, address=address,
                    problem=result.detail,
                )

    def _follow_network(self, network: Inventory) -> None:
        if network == self._network:
            return
        self._network = network
        self._schedule.know_network(network)
        self._threads.follow(_namespaces(network))

    def _tell(self, changes: Sequence[Change]) -> None:
        """Bus first, so that no change goes unrecorded if the process dies here; but never without the store."""
        if not changes and not self._pending:
            return
        self._changes += len(changes)
        for change in changes:
            log.info(
                "target health changed", target=change.target.id, address=change.target.address,
                before=str(change.before.state), after=str(change.after.state), reason=change.after.reason,
            )
        # The steady clock is for intervals: it stands still while the machine sleeps.
        self._pending += [_record(change, time.time()) for change in changes]
        self._publish()
        self._observe(changes)

    def _publish(self) -> None:
        bytes_max = self._settings.message_bytes_max
        drafts: list[Draft] = list(json_drafts(topics.TARGET_HEALTH, "health", self._pending, bytes_max))
        try:
            self._publisher.publish(drafts)
        except (sqlite3.Error, OSError):
            self._errors += 1
            self._repeated.exception("the bus does not take health changes, they wait", waiting=len(self._pending))
            excess = max(0, len(self._pending) - PENDING_CHANGES_MAX)
            del self._pending[:excess]
            self._given_up += excess
        else:
            self._pending.clear()

    def _observe(self, changes: Sequence[Change]) -> bool:
        """Tell the store; False when it takes nothing, say on a full disk, where probes and their status go on."""
        if not changes:
            return True
        try:
            self._store.observe([
                Observation(
                    target_group_arn=change.target_group_arn, target_id=change.target.id, state=change.after.state,
                    reason=change.after.reason, description=change.after.description,
                )
                for change in changes
            ])
        except (sqlite3.Error, OSError):
            self._errors += 1
            self._repeated.exception("the store does not take what the prober found; it is told again", errors=self._errors)
            # What the store was not told of is found by comparing, which is done when it seems to have changed.
            self._revision = -1
            return False
        return True

    def _tell_status(self, now_s: float) -> None:
        if now_s >= self._status_due_s:
            self._status_due_s = now_s + STATUS_S
            self._write_status()

    def _write_status(self) -> None:
        # The time of day, not that of the steady clock, which never learns that the clock was set.
        write_status(self._settings.data_path, "health", time.time(), {
            "targets": self._schedule.states(),
            "probes": dict(self._schedule.outcomes),
            "probe_packets": [
                {"load_balancer": balancer, "zone": zone, "packets": packets}
                for (balancer, zone), packets in self._schedule.probe_packets.items()
            ],
            "changes": self._changes, "changes_pending": len(self._pending), "changes_given_up": self._given_up,
            "errors": self._errors,
        })


def _namespaces(inventory: Inventory) -> set[str]:
    """Where nodes are."""
    return {node.netns for node in inventory.nodes}


def _record(change: Change, now_s: float) -> TargetHealthChange:
    return TargetHealthChange(
        time=int(now_s * 1000), load_balancer=change.load_balancer, target_group=change.target_group,
        target_id=change.target.id, target_address=change.target.address, availability_zone=change.target.zone,
        previous_state=str(change.before.state), state=str(change.after.state), reason=change.after.reason,
        description=change.after.description,
    )


def main() -> None:
    """Entry point of `python -m forwarder.health.service`; the settings are in the environment."""
    settings = load()
    set_up_logging(settings.log_level)
    serve(settings)
    # Threads of probes under way would be waited for at interpreter exit, for as long as their time-outs.
    os._exit(0)


if __name__ == "__main__":
    main()
