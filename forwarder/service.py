"""The forwarder: opens the ports, runs packet loop and telemetry in threads of their own, the prober as a child.

    main thread     control: imports the inventory when the file changed, reads the state store when its revision did, plans,
                    opens and lets go ports, tells the store which it has, hands plan and ports to the packet loop; looks
                    after the prober; writes the status file
    "packets"       `datapath.portable.PacketLoop`
    "telemetry"     `telemetry.publishing.Telemetry`
    child process   `forwarder.health.service`

What fails in control, telemetry or prober is counted, logged and tried again; packets go on.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import structlog

from forwarder.capture.closed import OUTBOX_ITEMS_MAX, Closed
from forwarder.collector import calm_collector
from forwarder.control.inventory_import import InventoryImport
from forwarder.control.store import Store
from forwarder.datapath.network import Network
from forwarder.datapath.portable import PacketLoop
from forwarder.datapath.steady_clock import SteadyClock
from forwarder.desired import Desired
from forwarder.engine.engine import Engine
from forwarder.forwarder_status import status_of, totals_of
from forwarder.inventory import BadInventory
from forwarder.plan import make_plan
from forwarder.ports import Ports
from forwarder.start_up import check_network, find, wait_for
from forwarder.telemetry.publishing import Telemetry, View, sample_length_s
from forwarder.telemetry.standing import Standing, zones_of_groups
from gatewatch.bus import Publisher, hand_over, open_publisher
from gatewatch.forwarder_runs import before
from gatewatch.repeated_error import RepeatedError
from gatewatch.service import stop_event
from gatewatch.settings import Settings, environment_of
from gatewatch.status_file import read_status, write_status
from gatewatch.supervisor import ServiceCommand, Supervisor

log = structlog.get_logger("forwarder")

#: How often control looks at the store's revision, and how often it writes the status file.
CONTROL_S = 0.1
STATUS_S = 1.0
#: Longest a thread may keep the interpreter from the packet thread.
SWITCH_INTERVAL_S = 0.0005


def serve(settings: Settings) -> None:
    """Forward until SIGTERM or SIGINT, then let packets under way come home and publish the last window."""
    stop = stop_event()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    store = Store.open(settings.data_path / "state.sqlite")
    inventory = InventoryImport(store, settings, clock_s=time.time, usable=partial(check_network, settings))
    try:
        found = wait_for(lambda: find(settings, store, inventory), stop)
    except BadInventory as error:
        raise SystemExit(f"gatewatch: {error}") from error
    if found is not None:
        _serve(settings, store, inventory, found[1], stop)
    store.close()


def _serve(settings: Settings, store: Store, inventory: InventoryImport, ports: Ports, stop: threading.Event) -> None:
    publisher = open_publisher(settings, "forwarder")
    forwarder = Forwarder(settings, store, inventory, publisher, ports)
    supervisor = Supervisor(settings.data_path / "logs", log_bytes_max=settings.log_bytes_max)
    supervisor.start(prober_command(settings))
    try:
        forwarder.start()
        calm_collector()
        forwarder.control(stop, supervisor.poll)
    finally:
        forwarder.stop(before_flush=supervisor.terminate_all)
        supervisor.stop_all()
        publisher.close()


def prober_command(settings: Settings) -> ServiceCommand:
    """How the prober is run: the same interpreter, every setting in its environment."""
    environment = environment_of(settings)
    return ServiceCommand(
        name="health", argv=(sys.executable, "-m", "forwarder.health.service"), environment=environment
    )


class Forwarder:
    """The threads and what they share.  `start`, then `control` until the end, then `stop`."""

    def __init__(
        self, settings: Settings, store: Store, inventory: InventoryImport, publisher: Publisher, ports: Ports
    ) -> None:
        self._settings = settings
        self._inventory = inventory
        self._store = store
        self._publisher = publisher
        self._ports = ports
        self._errors = 0
        self._observed: tuple[int, dict[str, frozenset[str]]] = (-1, {})
        self._repeated = RepeatedError(log)
        self._standing = Standing()
        self._before = before(read_status(settings.data_path, "forwarder"))
        self._activated: frozenset[str] = frozenset()
        self._desired = Desired(revision=-1, network=store.network())
        plan = make_plan(self._desired, self._desired.network, maglev_slots=settings.maglev_slots)
        self._view = View(inventory=self._desired.network, desired=self._desired, plan=plan, probe_packets={})
        clock = SteadyClock()
        outbox: queue.Queue[Closed] = queue.Queue(OUTBOX_ITEMS_MAX)
        self.loop = PacketLoop(
            _engine(settings, store.flow_secret()), outbox, clock=clock, synchronize=clock.synchronize,
            batch_packets_max=settings.batch_packets_max, capture_window_s=settings.capture_window_s,
            capture_rows_max=settings.capture_rows_max, sample_s=sample_length_s(settings.metrics_period_s),
        )
        self.telemetry = Telemetry(settings, outbox, publisher, lambda: self._view, start_s=clock())
        self._threads = [
            threading.Thread(target=self.loop.run, name="packets"),
            threading.Thread(target=self.telemetry.run, name="telemetry"),
        ]

    def start(self) -> None:
        """Take the plan of now, then let packets in."""
        self._follow_store()
        self._activate()
        for thread in self._threads:
            thread.start()
        log.info(
            "forwarding", endpoints=len(self._ports.endpoints), nodes=len(self._ports.nodes),
            datapath=self._settings.datapath,
        )

    def control(self, stop: threading.Event, look_after_children: Callable[[float], None]) -> None:
        """Follow the store and the network and write the status until `stop`."""
        status_due_s = 0.0
        while not stop.wait(CONTROL_S):
            now_s = time.monotonic()
            for step in (partial(look_after_children, now_s), self._follow_store, self._activate):
                self._attempt(step)
            if now_s >= status_due_s:
                status_due_s = now_s + STATUS_S
                for step in (
                    self._drop_drained, self._read_probe_packets, self._inventory.look, self._follow_devices, self._observe,
                    self._write_status, self._ports.follow_addresses,
                ):
                    self._attempt(step)

    def _attempt(self, step: Callable[[], object]) -> None:
        """Do one thing that control does.  What goes wrong with it must not keep it from the others, nor packets."""
        try:
            step()
        except Exception:  # the outermost loop: packets go on under the last plan, and it is tried again
            self._errors += 1
            self._repeated.exception("control met an error and goes on", errors=self._errors)

    def stop(self, before_flush: Callable[[], None] = lambda: None) -> None:
        """End the packet loop, then telemetry, then hand everything to the bus.

        While a broker is away the prober waits for it too: `before_flush` lets it begin, so that they wait together.
        """
        packets, telemetry = self._threads
        if packets.ident is not None:
            self.loop.stop()
            packets.join()
            self.telemetry.stop()
            telemetry.join()
        else:
            self._ports.close()
        before_flush()
        hand_over(self._publisher)
        self._write_status(ended=True)

    def _follow_store(self) -> None:
        if self._store.revision() == self._desired.revision:
            return
        desired = self._store.desired()
        plan = make_plan(desired, desired.network, maglev_slots=self._settings.maglev_slots)
        if desired.network != self._desired.network:
            log.info("the network has changed", endpoints=len(desired.network.endpoints), nodes=len(desired.network.nodes))
            self._ports.follow(desired.network)
        self._desired = desired
        self._view = View(inventory=desired.network, desired=desired, plan=plan, probe_packets=self._view.probe_packets)
        self._hand_over()

    def _hand_over(self) -> None:
        ports = self._ports
        self.loop.follow(Network(plan=self._view.plan, endpoints=dict(ports.endpoints), nodes=dict(ports.nodes)))

    def _activate(self) -> None:
        """Tell the store which load balancers are served now; again and again until it took it."""
        served = frozenset(balancer.arn for balancer in self._desired.load_balancers)
        if served - self._activated:
            self._store.activate(served - self._activated)
        self._activated = served

    def _follow_devices(self) -> None:
        """Open ports at devices that came, let go those whose device went."""
        if self._ports.follow(self._desired.network):
            self._hand_over()

    def _observe(self) -> None:
        """Tell the store which endpoints and nodes have their port, when that or what shall be there has changed: one that went and
        came back between two looks is waited for anew."""
        interfaces = {node.address: node.interface_id for node in self._desired.network.nodes}
        nodes = frozenset(interfaces.get(address, "") for address in self._ports.nodes)
        present = {"endpoints": frozenset(self._ports.endpoints), "nodes": nodes}
        seen = (self._desired.network_revision, present)
        if seen != self._observed:
            self._store.observe_network(present)
            self._observed = seen

    def _drop_drained(self) -> None:
        groups = [balancer.target_group for balancer in self._desired.load_balancers]
        if any(target.deregistered_at_s is not None for group in groups if group for target in group.targets):
            self._store.drop_drained(time.time())

    def _read_probe_packets(self) -> None:
        counted = (read_status(self._settings.data_path, "health") or {}).get("probe_packets", [])
        packets = {(item["load_balancer"], item["zone"]): int(item["packets"]) for item in counted}
        self._view = replace(self._view, probe_packets=packets)

    def _write_status(self, *, ended: bool = False) -> None:
        now_s = time.time()
        standing = self._standing.endpoints(self._view.plan, self.loop.counters, zones_of_groups(self._desired), now_s)
        content = status_of(
            self._view.plan, self._settings, self.loop, self.telemetry, self._ports,
            revision=self._desired.revision, control_errors=self._errors, before=self._before, ended=ended,
            inventory_problem=self._inventory.problem, standing=standing,
            lately=self._standing.lately(totals_of(self.loop, self._ports), now_s),
        )
        write_status(self._settings.data_path, "forwarder", now_s, content)


def _engine(settings: Settings, secret: bytes) -> Engine:
    codec = None
    if settings.datapath == "scapy":
        from forwarder.wire.geneve_layers import ScapyCodec  # scapy takes a second to import

        codec = ScapyCodec()
    return Engine(
        flows_max=settings.flows_max, rejects_max=settings.rejects_max, secret=secret, codec=codec,
    )
