"""The portable data path: one thread that takes packets from sockets in batches, asks the engine, and sends.

All counting of packets happens in the engine or is handed to it, so that its counters are the books.  What this shell
owns is time: a clock reading a batch, a tick for expiry and kernel drop counts, and the boundaries of capture windows
and metric samples, which lie on multiples of their length since 1970.  What it closes goes to telemetry through a
bounded outbox; when that is full the window stays open and the next boundary closes both as one, so nothing is lost.
"""

from __future__ import annotations

import os
import queue
import select
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import structlog

from forwarder.capture.closed import Closed
from forwarder.capture.drop_reason import DropReason
from forwarder.datapath.captured import captured
from forwarder.datapath.network import Endpoint, Network, Node, Port, is_among
from forwarder.engine.engine import Engine
from gatewatch.repeated_error import RepeatedError

log = structlog.get_logger(__name__)

#: Time between two rounds of expiry and drop counts.
TICK_S = 0.2
#: Flows looked at for expiry in one tick: the whole of a full default table in about 10 s.
EXPIRE_FLOWS_PER_TICK_MAX = 4_000
#: On stop, how long packets that are at the targets are waited for, and how long a silence ends the wait.
STOP_WAIT_S = 2.0
STOP_SILENCE_S = 0.3
#: Batches taken from one endpoint's queue while stopping; with the default batch 262,144 packets.
STOP_BATCHES_MAX = 4_096
#: The wall clock is taken to have been set when it differs by this much after a synchronization.
CLOCK_STEP_S = 1.0
#: How long the last window waits for a place in the outbox.
STOP_OUTBOX_WAIT_S = 10.0
#: Pause after an error, so that one that stays does not fill the log.
ERROR_PAUSE_S = 0.1


@dataclass(slots=True, kw_only=True)
class LoopCounts:
    """What the loop counts besides the engine: for `status`, never part of the packet books."""

    plans: int = 0
    windows_merged: int = 0
    errors: int = 0
    #: By endpoint id, while its port is open.
    endpoint_queue_drops: Counter[str] = field(default_factory=Counter)
    node_queue_drops: int = 0
    #: By node's address, while its port is open: refused datagrams by reason, and the kernel's drops.
    node_refused: dict[str, Counter[str]] = field(default_factory=dict)
    clock_stepped_at_s: float | None = None
    clock_stepped_by_s: float = 0.0


class PacketLoop:
    """Runs in a thread of its own (`run`); other threads call `follow`, `stop` and read `counters` and `counts`.

    A port that it was given is the loop's: it closes those that a later network does not have, also of a network that it
    never came to use.
    """

    def __init__(
        self,
        engine: Engine,
        outbox: queue.Queue[Closed],
        *,
        clock: Callable[[], float],
        synchronize: Callable[[], None],
        batch_packets_max: int,
        capture_window_s: int,
        capture_rows_max: int,
        sample_s: int,
    ) -> None:
        self._engine = engine
        self._endpoints: dict[str, Endpoint] = {}
        self._nodes: dict[str, Node] = {}
        self._node_of: dict[bytes, Node] = {}
        self._serving: dict[int, Callable[[float], int]] = {}
        self._poll = select.epoll()
        self._outbox = outbox
        self._clock = clock
        self._synchronize = synchronize
        self._batch_packets_max = batch_packets_max
        self._capture_window_s = capture_window_s
        self._capture_rows_max = capture_rows_max
        self._sample_s = sample_s
        self._stop = threading.Event()
        self._handing_over = threading.Lock()
        self._next: Network | None = None
        self._never_used: list[Port] = []
        self._repeated = RepeatedError(log)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.counters = engine.counters()
        self.counts = LoopCounts()

    def follow(self, network: Network) -> None:
        """Have `network` used from the next batch on.  One that was not taken yet is replaced."""
        with self._handing_over:
            self._set_aside(network)
            self._next = network
        os.eventfd_write(self._wake, 1)

    def stop(self) -> None:
        """Have the loop end: no new packets, those under way are waited for, the last window is closed."""
        if not self._stop.is_set():
            os.eventfd_write(self._wake, 1)
            self._stop.set()

    def run(self) -> None:
        """Carry packets until `stop`."""
        now_s = self._clock()
        self.begin(now_s)
        self._poll.register(self._wake, select.EPOLLIN)
        while not self._stop.is_set():
            try:
                self._turn(self._poll.poll(TICK_S))
            except Exception:  # the outermost loop: a batch that cannot be carried must not stop the next one
                self.counts.errors += 1
                self._repeated.exception("the packet loop met an error and goes on", errors=self.counts.errors)
                self._stop.wait(ERROR_PAUSE_S)
        self._finish()

    def _turn(self, events: list[tuple[int, int]]) -> None:
        now_s = self._clock()
        # Drained before looking for what it woke for, whoever found that first: else it would stay, and wake for ever.
        if (self._wake, select.EPOLLIN) in events:
            os.eventfd_read(self._wake)
        self._take_network(now_s)
        # Before the packets: what is read at or past a boundary belongs to the next window.
        if now_s >= min(self._next_tick_s, self._next_window_s, self._next_sample_s):
            self.tick(now_s)
        for descriptor, _ in events:
            # One of a port that was just let go is not there any more.
            if serve := self._serving.get(descriptor):
                serve(now_s)
        if self._engine.window_rows >= self._capture_rows_max and not self._outbox.full():
            self._close(now_s, True)

    def begin(self, now_s: float) -> None:
        """Start the clocks of windows and samples at `now_s`."""
        self._engine.close_window(now_s)  # so that the first window begins now
        self._next_tick_s = now_s
        self._set_boundaries(now_s)

    def _set_boundaries(self, now_s: float) -> None:
        self._next_window_s = _next_multiple(now_s, self._capture_window_s)
        self._next_sample_s = _next_multiple(now_s, self._sample_s)

    def from_endpoint(self, endpoint: str, now_s: float) -> int:
        """Carry one batch that the route table handed over to the targets; the number of packets taken."""
        packets = self._endpoints[endpoint].receive(self._batch_packets_max)
        send: list[tuple[bytes, str, str]] = []
        self._engine.from_endpoint(endpoint, packets, now_s, send)
        self._send(send, now_s)
        return len(packets)

    def _send(self, send: list[tuple[bytes, str, str]], now_s: float) -> None:
        for node in self._nodes.values():
            node.new_batch()
        node_of, not_sent = self._node_of, self._engine.not_sent
        for outer, address, endpoint in send:
            node_port = node_of.get(outer[12:16])
            if node_port is None or not node_port.send(outer, address):
                not_sent(outer, endpoint, now_s)

    def from_node(self, address: str, now_s: float) -> int:
        """Carry one batch that came back from targets to the endpoints; the number of datagrams taken."""
        datagrams = self._nodes[address].receive(self._batch_packets_max)
        deliver: list[tuple[str, bytes]] = []
        self._engine.from_target(datagrams, now_s, deliver)
        self._deliver(deliver, now_s)
        if self._engine.refused_now:
            self.counts.node_refused[address].update({str(reason): count for reason, count in self._engine.refused_now.items()})
        return len(datagrams)

    def _deliver(self, deliver: list[tuple[str, bytes]], now_s: float) -> None:
        port_of = self._endpoints.get
        for each in self._endpoints.values():
            each.new_batch()
        for endpoint, inner in deliver:
            port = port_of(endpoint)
            if port is None or not port.deliver(inner):
                self._engine.not_delivered(endpoint, inner, now_s)

    def _set_aside(self, network: Network | None) -> None:
        """The ports of the network that waits, which another takes the place of: those that this one has not are to be closed."""
        kept = [] if network is None else network.ports
        waiting = [] if self._next is None else self._next.ports
        self._never_used += [port for port in waiting if not is_among(port, kept)]

    def _close_never_used(self) -> None:
        """Those that the loop listens at are let go in the ordinary way."""
        with self._handing_over:
            ports, self._never_used = self._never_used, []
        listening: list[Port] = [*self._endpoints.values(), *self._nodes.values()]
        for port in ports:
            if not is_among(port, listening):
                port.close()

    def _take_network(self, now_s: float) -> None:
        """Take over a network: carry what waits at ports that go, under the plan they were in, then plan anew, then listen at
        those that came."""
        if self._next is None:
            return
        with self._handing_over:
            network, self._next = self._next, None
        self._close_never_used()
        for endpoint, port in list(self._endpoints.items()):
            if network.endpoints.get(endpoint) is not port:
                self._let_go(port, partial(self.from_endpoint, endpoint))
                del self._endpoints[endpoint], self.counts.endpoint_queue_drops[endpoint]
        for address, node in list(self._nodes.items()):
            if network.nodes.get(address) is not node:
                self._let_go(node, partial(self.from_node, address))
                del self._nodes[address], self.counts.node_refused[address]
        self._engine.configure(network.plan, now_s)
        self.counts.plans += 1
        for endpoint in network.endpoints.keys() - self._endpoints.keys():
            self._endpoints[endpoint] = port = network.endpoints[endpoint]
            self._listen(port, partial(self.from_endpoint, endpoint))
        for address in network.nodes.keys() - self._nodes.keys():
            self._nodes[address] = node = network.nodes[address]
            self.counts.node_refused[address] = Counter()
            self._listen(node, partial(self.from_node, address))
        self._node_of = {bytes(map(int, address.split("."))): node for address, node in self._nodes.items()}

    def _listen(self, port: Port, serve: Callable[[float], int]) -> None:
        self._serving[port.fileno()] = serve
        self._poll.register(port.fileno(), select.EPOLLIN)

    def _let_go(self, port: Port, serve: Callable[[float], int]) -> None:
        self._poll.unregister(port.fileno())
        del self._serving[port.fileno()]
        try:
            port.refuse_new()
            self._drain(serve)
            self._count_kernel_drops()
        except OSError:  # of a device that is going; the rest of the network must be taken over all the same
            self.counts.errors += 1
            self._repeated.exception("a port that goes could not be emptied", errors=self.counts.errors)
        finally:
            port.close()

    def _drain(self, serve: Callable[[float], int]) -> None:
        for _ in range(STOP_BATCHES_MAX):
            if not serve(self._clock()):
                break

    def tick(self, now_s: float) -> None:
        """Everything that is not per packet: expiry, the kernel's drop counts, the boundaries."""
        self._next_tick_s = now_s + TICK_S
        self._engine.expire(now_s, EXPIRE_FLOWS_PER_TICK_MAX)
        self._count_kernel_drops()
        window_due = now_s >= self._next_window_s
        # Not after a sample alone: a step inside a window would give its records times of two clocks.
        if (window_due or now_s >= self._next_sample_s) and self._close(now_s, window_due) and window_due:
            self._follow_wall_clock()
        self.counters = self._engine.counters()

    def _follow_wall_clock(self) -> None:
        before_s = self._clock()
        self._synchronize()
        now_s = self._clock()
        step_s = now_s - before_s
        if abs(step_s) > CLOCK_STEP_S:
            log.warning("the clock was set", seconds=round(step_s, 1))
            self.counts.clock_stepped_at_s, self.counts.clock_stepped_by_s = now_s, step_s
            self._engine.clock_stepped(step_s)
            # What was due by the old clock would be as far away as the step was long.
            self._next_tick_s = now_s
            self._set_boundaries(now_s)

    def _count_kernel_drops(self) -> None:
        for endpoint, port in self._endpoints.items():
            if drops := port.kernel_drops():
                self.counts.endpoint_queue_drops[endpoint] += drops
                self._engine.count_drops(endpoint, DropReason.RECEIVE_QUEUE_FULL, drops)
        for address, node in self._nodes.items():
            if drops := node.kernel_drops():
                self.counts.node_queue_drops += drops
                self.counts.node_refused[address][str(DropReason.RETURN_QUEUE_FULL)] += drops
                self._engine.count_drops(None, DropReason.RETURN_QUEUE_FULL, drops)

    def _close(self, now_s: float, window_due: bool, wait_s: float = 0.0) -> bool:
        """Hand over what is due; False, and everything left open, when the outbox stays full."""
        if self._outbox.full() and not wait_s:
            self.counts.windows_merged += window_due
            self._set_boundaries(now_s)
            return False
        window = captured(self._engine.close_window(now_s)) if window_due else None
        closed = Closed(end_s=now_s, counters=self._engine.counters(), window=window, last=bool(wait_s))
        self._outbox.put(closed, timeout=wait_s or None)
        if window is not None:
            self._engine.forget_gone()
        self._set_boundaries(now_s)
        return True

    def _finish(self) -> None:
        """Take what already waits, let what is at the targets come home, close the last window and the ports."""
        self._poll.unregister(self._wake)
        try:
            self._carry_the_rest()
        except Exception:  # what was carried before must still be told
            self.counts.errors += 1
            log.exception("the packet loop met an error while stopping")
        try:
            self._close(self._clock(), True, wait_s=STOP_OUTBOX_WAIT_S)
        except queue.Full:
            log.error("telemetry did not take the last capture window", waited_s=STOP_OUTBOX_WAIT_S)
            self.counts.errors += 1
        self.counters = self._engine.counters()
        self._poll.close()
        os.close(self._wake)
        with self._handing_over:
            self._set_aside(None)
            self._next = None
        self._close_never_used()
        for port in (*self._endpoints.values(), *self._nodes.values()):
            port.close()

    def _carry_the_rest(self) -> None:
        for port in self._endpoints.values():
            port.refuse_new()
        for endpoint in self._endpoints:
            self._drain(partial(self.from_endpoint, endpoint))
        deadline_s = self._clock() + STOP_WAIT_S
        while (now_s := self._clock()) < deadline_s:
            ready = [descriptor for descriptor, _ in self._poll.poll(min(STOP_SILENCE_S, deadline_s - now_s))]
            if not sum(self._serving[descriptor](self._clock()) for descriptor in ready):
                break
        for node in self._nodes.values():
            node.refuse_new()
        for address in self._nodes:
            self.from_node(address, self._clock())
        self._count_kernel_drops()


def _next_multiple(now_s: float, length_s: int) -> int:
    return (int(now_s) // length_s + 1) * length_s
