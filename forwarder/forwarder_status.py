"""What the forwarder's status file says: the books, each endpoint, each target, flows, queues, and what was emitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from forwarder.capture.counters import EndpointCounters
from forwarder.datapath.packet_socket import EndpointPort
from forwarder.datapath.portable import PacketLoop
from forwarder.plan import Plan
from forwarder.ports import Ports
from forwarder.telemetry.publishing import Telemetry
from forwarder.telemetry.samples import books_of
from gatewatch.settings import Settings
from gatewatch.standing import EndpointStanding, Lately


def status_of(
    plan: Plan, settings: Settings, loop: PacketLoop, telemetry: Telemetry,
    ports: Ports, *, revision: int, control_errors: int, before: Mapping[str, Any], ended: bool,
    inventory_problem: str = "", standing: Sequence[EndpointStanding] = (), lately: Sequence[Lately] = (),
) -> dict[str, Any]:
    """The content of `status/forwarder.json`.

    `packets` are the books (offered + originated = delivered + dropped); `frames_other` and the queues' drops are told
    by port; `errors` by thread; `inventory_problem` is why the inventory file cannot be used (empty: it is used);
    `standing` and `lately` say what goes wrong now (`telemetry.standing`); `before` and `ended` tell of other runs
    (`gatewatch.forwarder_runs`).
    """
    counters = loop.counters
    gone = counters.gone
    return {
        "datapath": settings.datapath,
        "revision": revision,
        "ended": ended,
        "inventory_problem": inventory_problem,
        "before": before,
        "packets": asdict(books_of(counters)),
        "flows": counters.flows,
        "flows_max": settings.flows_max,
        "flows_gave_way": counters.gave_way,
        "endpoints": [
            {
                "id": endpoint.endpoint_id, **asdict(counted), "not_returned": counted.not_returned,
                **_port(ports.endpoints.get(endpoint.endpoint_id), loop.counts.endpoint_queue_drops[endpoint.endpoint_id]),
            }
            for endpoint in plan.endpoints
            # The packet loop may not have taken over the newest plan yet.
            for counted in [counters.endpoints.get(endpoint.endpoint_id, EndpointCounters())]
        ],
        "endpoints_gone": {**asdict(gone), "not_returned": gone.not_returned},
        "devices_missing": dict(ports.missing),
        "nodes": [
            {
                "address": port.address, "send_retries": port.send_retries,
                "receive_buffer_bytes": port.receive_buffer_bytes,
                "refused": dict(loop.counts.node_refused.get(port.address, {})),
            }
            for port in list(ports.nodes.values())
        ],
        "standing": standing,
        "lately": lately,
        "clock_stepped_at_s": loop.counts.clock_stepped_at_s,
        "clock_stepped_by_s": loop.counts.clock_stepped_by_s,
        "node_queue_drops": loop.counts.node_queue_drops,
        "targets": [asdict(target) for target in counters.targets],
        "windows": telemetry.windows,
        "windows_merged": loop.counts.windows_merged,
        "records": dict(telemetry.records),
        "errors": {"packets": loop.counts.errors, "telemetry": telemetry.errors, "control": control_errors},
    }


def _port(port: EndpointPort | None, queue_drops: int) -> dict[str, Any]:
    """What is told of an endpoint's port."""
    if port is None:
        nothing = ("frames_other", "checksums_completed", "segments_merged", "send_retries", "receive_buffer_bytes")
        return {"device": "", "down": True, "queue_drops": queue_drops, **dict.fromkeys(nothing, 0)}
    return {
        "device": port.device, "down": port.down, "frames_other": port.frames_other,
        "checksums_completed": port.checksums_completed, "segments_merged": port.segments_merged,
        "send_retries": port.send_retries, "receive_buffer_bytes": port.receive_buffer_bytes, "queue_drops": queue_drops,
    }


def totals_of(loop: PacketLoop, ports: Ports) -> dict[str, int]:
    """Running totals whose growth tells that something is wrong now, by name: `dropped REASON`, `unrecorded`,
    `without_entry`, `gave_way WHAT`, `refused NODE REASON`, `sent TARGET` and `returned TARGET`."""
    counters = loop.counters
    books = books_of(counters)
    totals = {f"dropped {reason}": packets for reason, packets in books.dropped.items()}
    totals |= {"unrecorded": books.unrecorded, "without_entry": books.without_entry}
    totals |= {f"gave_way {name}": count for name, count in counters.gave_way.items()}
    for address in list(ports.nodes):
        refused = dict(loop.counts.node_refused.get(address, {}))
        totals |= {f"refused {address} {reason}": count for reason, count in refused.items()}
    for target in counters.targets:
        totals[f"sent {target.target_id}"] = totals.get(f"sent {target.target_id}", 0) + target.sent_packets
        totals[f"returned {target.target_id}"] = totals.get(f"returned {target.target_id}", 0) + target.returned_packets
    return totals
