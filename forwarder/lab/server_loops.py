"""The lab's servers, each running in its namespace: those that come are started, those that go are stopped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog

from forwarder.lab.namespace_loop import NamespaceLoop
from forwarder.lab.plan import Machine
from forwarder.lab.servers import Servers
from gatewatch.repeated_error import RepeatedError

_log = structlog.get_logger("traffic")


class ServerLoops:
    """Call `follow` with the servers there are; `stop` ends all."""

    def __init__(self) -> None:
        self._running: dict[Machine, tuple[NamespaceLoop, Servers]] = {}
        self._repeated = RepeatedError(_log)

    def start(self, servers: Sequence[Machine]) -> None:
        """Begin; `OSError` when a namespace or a port cannot be had, and then nothing runs."""
        try:
            for machine in servers:
                self._start(machine)
        except OSError:
            self.stop()
            raise

    def follow(self, servers: Sequence[Machine]) -> None:
        """Start what came, stop what went.  What cannot be started is logged, and tried again at the next call."""
        for machine in self._running.keys() - set(servers):
            self._running.pop(machine)[0].stop()
        for machine in servers:
            if machine not in self._running:
                try:
                    self._start(machine)
                except OSError:
                    self._repeated.exception("a server cannot be started", server=machine.name)

    def stop(self) -> None:
        """End all."""
        self.follow(())

    def counts(self) -> dict[str, Any]:
        """What each that runs was asked and answered, by namespace."""
        return {machine.netns: servers.counts() for machine, (_, servers) in self._running.items()}

    def _start(self, machine: Machine) -> None:
        servers = Servers(machine.address)
        loop = NamespaceLoop(machine.netns, servers.open, servers.close, name=machine.netns)
        try:
            loop.start()
        except OSError:
            loop.stop()
            raise
        self._running[machine] = (loop, servers)
