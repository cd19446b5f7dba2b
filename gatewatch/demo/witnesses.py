"""Witnesses the gateway's books do not come from: the kernel's device counters and the appliances' own counts.

The books of the forwarder could balance and still be wrong.  Here each figure is held against what somebody else
counted: packets offered and delivered against the endpoint's device, packets sent and returned against each appliance
that lived through the whole run.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from forwarder.inventory import Endpoint
from forwarder.network_namespace import run_in
from gatewatch.forwarder_runs import with_all_runs
from gatewatch.status_file import read_status
from queries.books import Difference

CHAIN = "witnesses"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCounts:
    """What the kernel counted at a device, in packets."""

    received: int
    sent: int


def device_counts(endpoint: Endpoint) -> DeviceCounts:
    """Read the kernel's counters of an endpoint's device; `OSError` when namespace or device are gone."""

    def read() -> DeviceCounts:
        from pyroute2 import IPRoute
        from pyroute2.netlink.exceptions import NetlinkError

        with IPRoute() as ip:
            try:
                counts = next(iter(ip.link("get", ifname=endpoint.device))).get_attr("IFLA_STATS64")
            except NetlinkError as error:
                raise OSError(error.code, os.strerror(error.code), endpoint.device) from error
        return DeviceCounts(received=counts["rx_packets"], sent=counts["tx_packets"])

    return run_in(endpoint.netns, read)


def device_differences(status: Mapping[str, Any], devices: Mapping[str, DeviceCounts]) -> list[Difference]:
    """The forwarder's status against the devices, by endpoint id; an endpoint whose device said nothing is a difference too."""
    found: list[Difference | None] = []
    for endpoint in status["endpoints"]:
        device = devices.get(endpoint["id"])
        if device is None:
            silent = f"{endpoint['device']}: no counts to hold against its endpoint's"
            found.append(Difference(chain=CHAIN, what=silent, expected=1, found=0))
            continue
        found += [
            _difference(f"{endpoint['device']}: packets the kernel received", device.received,
                        endpoint["offered"] + endpoint["frames_other"]),
            _difference(f"{endpoint['device']}: packets the kernel sent", device.sent, endpoint["delivered"]),
        ]
    return [difference for difference in found if difference is not None]


def appliance_differences(
    targets: Iterable[Mapping[str, Any]], counts_by_address: Mapping[str, Mapping[str, Any]], *, queue_drops: int = 0
) -> list[Difference]:
    """What went to and came from each target against the counts of the appliance at its address.

    `queue_drops` are returned packets that the kernel had no room for: nobody knows whose they were, so in all that many may be
    missing.
    """
    found: list[Difference | None] = []
    returned: list[Difference] = []
    for target in targets:
        counts = counts_by_address.get(target["address"])
        if counts is not None:
            name = target["target_id"]
            found += [
                _difference(f"{name}: packets its appliance received", counts["received"], target["sent_packets"]),
            ]
            short = _difference(f"{name}: packets its appliance returned", counts["returned"], target["returned_packets"])
            returned += [short] if short is not None else []
    missing = [difference.expected - difference.found for difference in returned]
    explained = all(count > 0 for count in missing) and sum(missing) <= queue_drops
    return [*(difference for difference in found if difference is not None), *(() if explained else returned)]


def contradictions(data: Path, devices: Mapping[str, DeviceCounts], unbroken: Mapping[str, str]) -> list[dict[str, Any]]:
    """Every difference between the forwarder's final status and the witnesses.

    `devices` are by endpoint id, `unbroken` are the appliances that were never killed, name by address.  A witness that says
    nothing is a difference too: nobody confirmed what went to that target.
    """
    status = read_status(data, "forwarder")
    if status is None:
        return [{"chain": CHAIN, "what": "the forwarder left no status"}]
    status = with_all_runs(status)  # as the devices and the appliances counted
    statuses = {address: read_status(data, name) for address, name in unbroken.items()}
    counts = {address: found["packets"] for address, found in statuses.items() if found is not None}
    queue_drops = int(status.get("node_queue_drops", 0))
    differences = device_differences(status, devices)
    differences += appliance_differences(status["targets"], counts, queue_drops=queue_drops)
    targets = {target["address"] for target in status["targets"]}
    silent = [
        {"chain": CHAIN, "what": f"{name}: no counts to hold against its target's"}
        for address, name in unbroken.items() if address not in counts or address not in targets
    ]
    return [*map(asdict, differences), *silent]


def _difference(what: str, expected: int, found: int) -> Difference | None:
    return None if expected == found else Difference(chain=CHAIN, what=what, expected=expected, found=found)
