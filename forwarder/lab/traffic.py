"""The lab's traffic, in one process: servers and clients, each in its namespace, with real sockets.

`serve` runs until SIGTERM; `python -m forwarder.lab.traffic --rate 20` does the same.  Counts are in
`status/traffic.json`, once a second: tries by kind, and for fail-over the last new connections with their begin.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time

import structlog

from forwarder.lab.clients import Client
from forwarder.lab.lab import Lab, NoLab
from forwarder.lab.namespace_loop import NamespaceLoop
from forwarder.lab.privilege import BadEnvironment, join_if_held
from forwarder.lab.server_loops import ServerLoops
from forwarder.lab.traffic_counts import summed
from gatewatch.service import set_up_logging, stop_event
from gatewatch.settings import BadSetting, Settings, load
from gatewatch.status_file import write_status

SERVICE = "traffic"
RATE_DEFAULT = 20.0
RATE_MAX = 500.0
REPORT_S = 1.0
#: How long the last tries may take after the end was asked for.
LINGER_S_MAX = 1.0
_log = structlog.get_logger(SERVICE)


def serve(settings: Settings, *, lab: Lab, rate: float = RATE_DEFAULT) -> None:
    """Run servers and clients until SIGTERM or SIGINT; `rate` is new tries a second of all clients together.

    `OSError` when a namespace or a port cannot be had.
    """
    if not 0 < rate <= RATE_MAX:
        raise ValueError(f"rate is {rate}; allowed: above 0 to {RATE_MAX:g} tries a second")
    stop = stop_event()
    targets = [server.address for server in lab.servers]
    clients = {
        client.netns: Client(targets, rate=rate / len(lab.clients), scans=number == len(lab.clients), seed=number)
        for number, client in enumerate(lab.clients, 1)
    }
    servers = ServerLoops()
    with contextlib.ExitStack() as ending:
        ending.callback(servers.stop)
        servers.start(lab.servers)
        loops = {netns: NamespaceLoop(netns, client.start, client.close, name=netns) for netns, client in clients.items()}
        for loop in loops.values():
            _start(ending, loop)
        _log.info("traffic started", rate=rate, clients=len(clients), servers=len(lab.servers))
        while not stop.wait(REPORT_S):
            with contextlib.suppress(NoLab, BadEnvironment):  # being taken down, or written just now
                servers.follow(Lab.read(settings.data_path).servers)
            _report(settings, rate, clients, servers)
        for netns, client in clients.items():
            loops[netns].call(client.end)
        deadline_s = time.monotonic() + LINGER_S_MAX
        while any(client.under_way for client in clients.values()) and time.monotonic() < deadline_s:
            time.sleep(0.02)
        _report(settings, rate, clients, servers)
    _log.info("traffic stopped")


def _start(ending: contextlib.ExitStack, loop: NamespaceLoop) -> None:
    ending.callback(loop.stop)
    loop.start()


def _report(settings: Settings, rate: float, clients: dict[str, Client], servers: ServerLoops) -> None:
    write_status(settings.data_path, SERVICE, time.time(), {
        "rate": rate,
        **summed(client.counts for client in clients.values()),
        "servers": servers.counts(),
    })


def main() -> int:
    """The command line: `--data`, `--rate`."""
    parser = argparse.ArgumentParser(prog="python -m forwarder.lab.traffic", description=__doc__)
    parser.add_argument("--data", help="data folder of a lab that is up")
    parser.add_argument("--rate", type=float, default=RATE_DEFAULT, help="new tries a second, all clients together")
    arguments = parser.parse_args()
    try:
        settings = load({"data": arguments.data})
        set_up_logging(settings.log_level)
        join_if_held(settings.data_path)
        serve(settings, lab=Lab.read(settings.data_path), rate=arguments.rate)
    except (BadSetting, BadEnvironment, NoLab, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
