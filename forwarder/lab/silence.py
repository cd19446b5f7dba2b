"""Silence in the lab: its hosts send nothing more, and what is under way can come to rest and be counted.

Ending the traffic is not enough: a kernel goes on repeating what a closed socket had sent (TCP, RFC 9293 section 3.8.1),
seconds apart and for minutes when an appliance has eaten the connection.  Such a packet can reach the endpoint after the
forwarder has ended, where nobody but the device counts it.
"""

from __future__ import annotations

from pyroute2 import IPRoute

from forwarder.lab.lab import Lab
from forwarder.network_namespace import run_in

#: After the table `local` (0), so that hosts go on receiving; before every other table, so that they send to nobody.
RULE_PRIORITY = 1


def silence(lab: Lab) -> None:
    """Let no client and no server of the lab send again.  `OSError` when a namespace is not there."""
    for machine in (*lab.clients, *lab.servers):
        run_in(machine.netns, _send_to_nobody)


def _send_to_nobody() -> None:
    with IPRoute() as netlink:
        netlink.rule("add", priority=RULE_PRIORITY, action="blackhole")
