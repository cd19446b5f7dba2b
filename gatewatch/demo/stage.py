"""The demo's stage: the lab's network, the services and the appliances as child processes, and the way to end them.

They end in the order records flow, so that nothing is left under way: traffic, forwarder, appliances, API, alarms, and
ingest once it holds all that the others said.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import structlog

from forwarder.control.store import Store
from forwarder.lab.caretaker import Caretaker
from forwarder.lab.lab import Lab
from forwarder.lab.silence import silence
from gatewatch.demo.crew import Crew
from gatewatch.demo.witnesses import DeviceCounts, device_counts
from gatewatch.settings import Settings, environment_of
from gatewatch.status_file import read_status
from gatewatch.supervisor import ServiceCommand, Supervisor
from gatewatch.up import service_command
from queries.books import chain

TICK_S = 0.1
#: Packets under way have come to rest when the endpoints' devices counted none for this long; longest wait for that.
REST_S = 1.0
SETTLE_S_MAX = 10.0
DRAIN_S_MAX = 30.0


class Stage:
    """Lab, services and appliances of one data folder.  Start and stop it from the main thread."""

    def __init__(self, settings: Settings, *, console: bool, rate: float) -> None:
        """Nothing is made yet; `rate` is new connections per second."""
        self.settings = settings
        self.supervisor = Supervisor(settings.data_path / "logs", log_bytes_max=settings.log_bytes_max)
        self._crew = Crew(self.supervisor, settings)
        self._services = ("ingest", "api", "forwarder", "alarms", *(("console",) if console else ()))
        self._rate = rate
        self._caretaker: Caretaker | None = None
        self._store: Store | None = None

    @property
    def caretaker(self) -> Caretaker:
        """Who looks after the lab; there is one once `open` has run."""
        assert self._caretaker is not None, "open the stage first"
        return self._caretaker

    @property
    def lab(self) -> Lab:
        """The lab as it is now."""
        return self.caretaker.lab

    def open(self) -> None:
        """Build the network, start services and appliances."""
        lab = Lab.up(self.settings.data_path, name=self.settings.lab_name)
        self._store = Store.open(self.settings.data_path / "state.sqlite")
        self._caretaker = Caretaker(lab, self._store)
        for name in self._services:
            self.supervisor.start(service_command(name, self.settings))
        self._crew.follow(self.lab)

    def start_appliance(self, name: str) -> None:
        """Start (or start again) one of the lab's appliances."""
        self._crew.start(self.lab, name)

    def kill_ingest_at_work(self) -> bool:
        """SIGKILL ingest if it is at work, that is, has published something since it started; False until then."""
        status = read_status(self.settings.data_path, "ingest")
        at_work = status is not None and status["pid"] == self.supervisor.process_id("ingest") and status["last_commit_s"]
        return bool(at_work) and self.supervisor.kill("ingest")

    def restarted(self) -> set[str]:
        """What died unbidden and was started again, so that it counts from its last start only."""
        return {name for name in self.supervisor.names() if self.supervisor.restarts(name)}

    def start_traffic(self) -> None:
        """Let the lab's clients loose."""
        self.supervisor.start(traffic_command(self.settings, self._rate))

    def run_until(
        self, deadline_s: float, stop: Callable[[], bool], each_tick: Callable[[], None] = lambda: None
    ) -> None:
        """Keep everything running until the monotonic `deadline_s`, or until `stop` says so."""
        while time.monotonic() < deadline_s and not stop():
            self.supervisor.poll(time.monotonic())
            each_tick()
            if self._caretaker is not None:
                self._crew.follow(self._caretaker.lab)
            time.sleep(TICK_S)

    def drain(self) -> bool:
        """End the sources in the order records flow and wait until the lake has all; False when it did not in time."""
        self.supervisor.stop("traffic")
        try:
            silence(self.lab)
            self.run_until(time.monotonic() + SETTLE_S_MAX, stop=self._at_rest_since(time.monotonic()))
        except OSError as error:
            # Somebody took a namespace away; all the others are still to be ended in their order.
            structlog.get_logger("demo").warning("the lab cannot be brought to rest", error=str(error))
        for name in ("forwarder", *(appliance.name for appliance in self.lab.appliances), "api", "alarms"):
            self.supervisor.stop(name)
        self.run_until(time.monotonic() + DRAIN_S_MAX, stop=self._nothing_is_held)
        drained = self._nothing_is_held()
        self.supervisor.stop("ingest")
        return drained

    def close(self) -> None:
        """Stop what still runs and take the lab down."""
        self.supervisor.stop_all()
        if self._store is not None:
            self._store.close()
        Lab.down(self.settings.data_path)

    def _at_rest_since(self, moved_s: float) -> Callable[[], bool]:
        """A question: have the endpoints' devices counted no packet for `REST_S`, from `moved_s` (monotonic) on."""
        counted: list[DeviceCounts] = []

        def at_rest() -> bool:
            nonlocal counted, moved_s
            now = [device_counts(endpoint) for endpoint in self.lab.inventory.endpoints]
            if now != counted:
                counted, moved_s = now, time.monotonic()
            return time.monotonic() - moved_s >= REST_S

        return at_rest

    def _nothing_is_held(self) -> bool:
        return not any(hop.held for hop in chain(self.settings.data_path).hops)


def traffic_command(settings: Settings, rate: float) -> ServiceCommand:
    """How the lab's clients and servers are run."""
    argv = (sys.executable, "-m", "forwarder.lab.traffic", "--data", settings.data, "--rate", str(rate))
    return ServiceCommand(name="traffic", argv=argv, environment=environment_of(settings))
