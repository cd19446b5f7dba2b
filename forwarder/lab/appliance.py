"""The appliance: a real GENEVE target, in a process of its own, in the lab or anywhere else.

What it allows goes back as a Gateway Load Balancer wants it: outer addresses swapped, UDP source port as received,
destination port 6081, the GENEVE header untouched, UDP checksum 0.  A UDP socket takes the datagrams; since it could
only send from its own port, a raw socket (`IP_HDRINCL`, raw(7)) returns them.
Source: aws-samples gwlbtun, README, for what a target must preserve.
"""

from __future__ import annotations

import contextlib
import errno
import re
import select
import signal
import socket
import struct
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import structlog

from forwarder.datapath.send_patience import SendPatience
from forwarder.datapath.socket_options import enlarge_receive_buffer, receive_drops
from forwarder.lab.access_log import AccessLog
from forwarder.lab.health_answer import HealthAnswer
from forwarder.lab.inspection import Inspector
from forwarder.lab.privilege import join_if_held
from forwarder.lab.rules import Rules, read_rules
from forwarder.network_namespace import run_in
from forwarder.wire.geneve_codec import GENEVE_PORT
from gatewatch.bus import hand_over, open_publisher
from gatewatch.refusal import Refusal
from gatewatch.repeated_error import RepeatedError
from gatewatch.service import stop_event
from gatewatch.settings import Settings
from gatewatch.status_file import write_status

RECEIVE_BUFFER_BYTES = 32 << 20
SEND_BUFFER_BYTES = 4 << 20
BATCH_PACKETS_MAX = 64
DATAGRAM_BYTES_MAX = 65_535
WAIT_MS = 100
REPORT_MS = 1_000
#: Longest that packets are still worked off once the end was asked for.
STOP_S = 1.0

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TTL = 64
_OUTER = struct.Struct("!BBHHHBBH4s4sHHHH")
_log = structlog.get_logger("appliance")


class BadName(Refusal, ValueError):
    """A name that cannot be a file's."""


def service_name(name: str) -> str:
    """Name of an appliance's status file and spool: `appliance-<name>`, without saying appliance twice; `BadName`."""
    if not _NAME.fullmatch(name):
        raise BadName(f"the name {name!r} cannot be an appliance's; allowed: 1 to 64 letters, digits, '.', '_' and '-'")
    return name if name.startswith("appliance") else f"appliance-{name}"


class Appliance:
    """The packet path between two sockets.  received = returned + denied + malformed + the send failures."""

    def __init__(self, *, address: str, rules: Rules, netns: str = "",
                 receive_buffer_bytes: int = RECEIVE_BUFFER_BYTES) -> None:
        """Opens the sockets; `OSError` when the address or the port cannot be had.

        With the address 0.0.0.0 the kernel chooses the outer source; name the address where there are several.
        """
        self.inspector = Inspector(rules)
        self.returned = 0
        self.send_failed: dict[str, int] = {}
        self.receive_errors: dict[str, int] = {}
        self._own = socket.inet_aton(address)
        self._patience = SendPatience()
        self._receive, self._send = run_in(netns, lambda: _open_sockets(address, receive_buffer_bytes))
        self._poll = select.poll()
        self._poll.register(self._receive, select.POLLIN)
        self._buffer = bytearray(DATAGRAM_BYTES_MAX)
        self._view = memoryview(self._buffer)

    def run_once(self, wait_ms: int = WAIT_MS) -> int:
        """Wait for datagrams and work through a batch; how many there were."""
        if not self._poll.poll(wait_ms):
            return 0
        time_ms = time.time_ns() // 1_000_000
        inspect, take, buffer, view = self.inspector.inspect, self._receive.recvfrom_into, self._buffer, self._view
        for taken in range(BATCH_PACKETS_MAX):
            try:
                size, (address, port) = take(buffer)
            except BlockingIOError:
                return taken
            except OSError as error:  # an ICMP error told through the socket; no datagram was lost by it
                self._count(self.receive_errors, error)
                continue
            sender = socket.inet_aton(address)
            if inspect(bytes(view[:size]), sender, time_ms):
                self._give_back(sender, port, size, address)
        return BATCH_PACKETS_MAX

    def _give_back(self, sender: bytes, port: int, size: int, address: str) -> None:
        # The kernel fills in total length, identification and header checksum (raw(7)).
        outer = _OUTER.pack(0x45, 0, 0, 0, 0, _TTL, socket.IPPROTO_UDP, 0, self._own, sender,
                            port, GENEVE_PORT, size + 8, 0)
        self._patience.renew()
        while True:
            try:
                self._send.sendmsg((outer, self._view[:size]), (), 0, (address, 0))
                self.returned += 1
                return
            except OSError as error:
                if not self._patience.again(error):
                    self._count(self.send_failed, error)
                    return

    def counts(self) -> dict[str, Any]:
        """The books, for the status file."""
        inspector = self.inspector
        return {
            "received": inspector.received, "returned": self.returned, "denied": inspector.denied,
            "malformed": dict(inspector.malformed), "send_failed": dict(self.send_failed),
            "receive_errors": dict(self.receive_errors),
            "kernel_dropped": receive_drops(self._receive),
            "flows": len(inspector), "flows_forgotten": inspector.entries_forgotten,
        }

    def close(self) -> None:
        """Close both sockets."""
        self._receive.close()
        self._send.close()

    @staticmethod
    def _count(counts: dict[str, int], error: OSError) -> None:
        name = errno.errorcode.get(error.errno or 0, "other")
        counts[name] = counts.get(name, 0) + 1


def serve(
    settings: Settings, *, name: str, address: str, netns: str = "", rules: Path | None, health_port: int = 80
) -> None:
    """Run the appliance until SIGTERM or SIGINT; SIGUSR1 makes its health check fail, or answer again.

    With `netns` it joins an ordinary user's lab first.  `BadRules`, `BadName` or `OSError` when it cannot start.
    """
    if netns:
        join_if_held(settings.data_path)
    stop = stop_event()
    applied = read_rules(rules)
    health = HealthAnswer(address=address, port=health_port, netns=netns)

    def on_toggle(number: int, frame: FrameType | None) -> None:
        health.toggle()

    signal.signal(signal.SIGUSR1, on_toggle)
    with contextlib.ExitStack() as ending:
        publisher = open_publisher(settings, service_name(name))
        ending.callback(publisher.close)
        ending.callback(hand_over, publisher)
        log = AccessLog(publisher, appliance_id=name, message_bytes_max=settings.message_bytes_max)
        appliance = Appliance(address=address, rules=applied, netns=netns)
        ending.callback(appliance.close)
        health.start()
        ending.callback(health.stop)
        reporter = _Reporter(settings, service_name(name), appliance, log, health)
        with reporter:
            _log.info("appliance started", name=name, address=address, netns=netns or "-", rules=len(applied))
            _forward_until(stop, appliance, log)
        _log.info("appliance stopped", received=appliance.inspector.received, returned=appliance.returned)


def _forward_until(stop: threading.Event, appliance: Appliance, log: AccessLog) -> None:
    """The packet loop; at the end it works off what has already arrived, but not for ever what goes on arriving."""
    next_report_s = 0.0
    while not stop.is_set():
        appliance.run_once()
        now_s = time.monotonic()
        if now_s >= next_report_s:
            log.hand_over(appliance.inspector.take_seen())
            next_report_s = now_s + REPORT_MS / 1000
    deadline_s = time.monotonic() + STOP_S
    while time.monotonic() < deadline_s and appliance.run_once(0):
        pass
    log.hand_over(appliance.inspector.take_seen())


class _Reporter:
    """Publishes the access log and writes the status file once a second, and once more at the end."""

    def __init__(
        self, settings: Settings, service: str, appliance: Appliance, log: AccessLog, health: HealthAnswer
    ) -> None:
        self._data = settings.data_path
        self._service = service
        self._appliance = appliance
        self._access_log = log
        self._health = health
        self._ended = threading.Event()
        self._errors = 0
        self._repeated = RepeatedError(_log)
        self._thread = threading.Thread(target=self._run, name="appliance-report")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._report()

    def _run(self) -> None:
        while not self._ended.wait(REPORT_MS / 1000):
            self._report()

    def _report(self) -> None:
        try:
            self._access_log.publish()
        except Exception:  # packets come first: said, counted, tried again in a second
            self._errors += 1
            self._repeated.exception("the access log waits", times=self._errors)
        write_status(self._data, self._service, time.time(), {
            "packets": self._appliance.counts(), "access_log": self._access_log.counts(),
            "health": {"failing": self._health.failing, "checks": self._health.checks}, "report_errors": self._errors,
        })


def _open_sockets(address: str, receive_buffer_bytes: int) -> tuple[socket.socket, socket.socket]:
    with contextlib.ExitStack() as undo:
        receive = undo.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        send = undo.enter_context(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW))
        receive.setblocking(False)
        enlarge_receive_buffer(receive, receive_buffer_bytes)
        receive.bind((address, GENEVE_PORT))
        send.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        send.setblocking(False)
        undo.pop_all()
    return receive, send

