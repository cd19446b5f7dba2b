"""A flood of opening packets at the engine, in virtual time: what becomes of other people's connections, and what it costs.

For 45 s somebody sends 6,000 or 20,000 SYN/s from ports of his own while 200 connections a second are opened, used and closed
by others; then a minute without him.  Printed: the share of those connections of which every packet was forwarded during the
flood and after it, how long after the flood's end the table was half empty again, the largest number of flows, memory a flow
(this process's growth over the flows it holds then), and CPU time a packet.  The reference is the same run with flows
that give no way, half-open ones that stay as long as others, and nothing forwarded without an entry.

The last case is a table full of flows in use, both of whose directions were seen: what becomes of other people's connections, how
many of their packets were forwarded without an entry, and memory a flow.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import process_time
from unittest import mock

from forwarder.engine import admission
from forwarder.engine.engine import Engine
from forwarder.engine.flow_table import FlowTable
from tests.forwarder.engine.examples import E0, engine
from tests.forwarder.wire.packets import ACK, FIN, SYN, tcp

FLOOD_S, AFTER_S = 45, 60
CONNECTIONS_PER_S, STEPS_PER_S = 200, 10
SERVER, FLOODER, USER = "203.0.113.7", "198.51.100.", "192.0.2."
BATCH_FLOWS = 1_000


def main() -> None:
    """Print a JSON line for each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", type=int, nargs="+", default=[6_000, 20_000], help="opening packets a second")
    parser.add_argument("--flows-max", type=int, default=200_000)
    options = parser.parse_args()
    for rate in options.rates:
        for case, work in (("flood", run), ("reference: nothing gives way", run_reference)):
            # A process for each, since memory that one case gave back is not counted to the next.
            with ProcessPoolExecutor(1, get_context("spawn")) as process:
                found = process.submit(work, rate, options.flows_max).result()
            print(json.dumps({"case": case, "syn_per_s": rate, **found}), flush=True)
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        found = process.submit(run_full, options.flows_max).result()
    print(json.dumps({"case": "full of flows in use", **found}), flush=True)


def run_reference(rate: int, flows_max: int) -> dict[str, object]:
    """The same with flows that give no way, and half-open ones that stay as long as others."""
    with (
        mock.patch.object(FlowTable, "give_way", return_value=""), mock.patch.object(admission, "HALF_OPEN_TIMEOUT_S", 350),
        mock.patch.object(admission.Admission, "_without_entry", return_value=None),
    ):
        return run(rate, flows_max)


def run_full(flows_max: int) -> dict[str, object]:
    """A table full of flows in use, and 200 further connections a second for ten seconds."""
    made = engine(flows_max=flows_max, rejects_max=1_000)
    before_kb = resident_kb()
    for first in range(0, flows_max, BATCH_FLOWS):
        for number in range(first, min(first + BATCH_FLOWS, flows_max)):
            client, port = f"{USER}{number // 60_000}", 1_024 + number % 60_000
            made.from_endpoint(E0, [tcp(client, port, SERVER, 443, SYN), tcp(SERVER, 443, client, port, SYN | ACK)], 0.0, [])
        made.close_window(0.0)
        made.expire(0.0, 2 * BATCH_FLOWS)
    flows, grown_kb = made.counters().flows, resident_kb() - before_kb
    opened = CONNECTIONS_PER_S * 9
    began_s = process_time()
    passed = sum(connect(made, number, number / CONNECTIONS_PER_S) for number in range(opened))
    end = made.counters().endpoints[E0]
    assert end.offered + end.originated == end.delivered + sum(end.dropped.values())
    return {
        "flows": flows, "bytes_per_flow": round(1024 * grown_kb / flows), "share": round(passed / opened, 4),
        "without_entry": end.without_entry, "us_per_packet": round(1e6 * (process_time() - began_s) / (6 * opened), 2),
    }


def run(rate: int, flows_max: int) -> dict[str, object]:
    """One flood and the time after it."""
    made = engine(flows_max=flows_max, rejects_max=1_000)
    before_kb, began_s, packets = resident_kb(), process_time(), 0
    passed, opened = {"during": 0, "after": 0}, {"during": 0, "after": 0}
    peak_flows = peak_kb = 0
    half_empty_s: float | None = None
    for step in range((FLOOD_S + AFTER_S) * STEPS_PER_S):
        now_s = step / STEPS_PER_S
        phase = "during" if now_s < FLOOD_S else "after"
        if phase == "during":
            packets += flood(made, step, rate // STEPS_PER_S, now_s)
        number = CONNECTIONS_PER_S // STEPS_PER_S
        passed[phase] += sum(connect(made, step * number + index, now_s) for index in range(number))
        opened[phase] += number
        packets += 6 * number
        made.expire(now_s, 4_000 // STEPS_PER_S * 5)
        made.close_window(now_s)
        flows = made.counters().flows
        if flows > peak_flows:
            peak_flows, peak_kb = flows, resident_kb()
        if phase == "after" and half_empty_s is None and flows < flows_max / 2:
            half_empty_s = round(now_s - FLOOD_S, 1)
    end = made.counters().endpoints[E0]
    assert end.offered + end.originated == end.delivered + sum(end.dropped.values())
    return {
        "share_during": round(passed["during"] / opened["during"], 4), "share_after": round(passed["after"] / opened["after"], 4),
        "half_empty_after_s": half_empty_s, "flows_peak": peak_flows,
        "bytes_per_flow": round(1024 * (peak_kb - before_kb) / max(1, peak_flows)), "gave_way": made.counters().gave_way,
        "us_per_packet": round(1e6 * (process_time() - began_s) / packets, 2),
    }


def flood(made: Engine, step: int, count: int, now_s: float) -> int:
    """A part of the flood; the packets are made anew, since a flow is known by its packet's bytes."""
    first = step * count
    packets = [
        tcp(f"{FLOODER}{(first + number) // 60_000 % 250}", 1_024 + (first + number) % 60_000, SERVER, 443, SYN)
        for number in range(count)
    ]
    made.from_endpoint(E0, packets, now_s, [])
    return count


def connect(made: Engine, number: int, now_s: float) -> bool:
    """One connection from its opening to its end; whether all of it was forwarded."""
    port, client = 1_024 + number % 60_000, f"10.0.1.{10 + number // 60_000}"
    there = [tcp(client, port, SERVER, 443, flags) for flags in (SYN, ACK, FIN | ACK)]
    back = [tcp(SERVER, 443, client, port, flags) for flags in (SYN | ACK, ACK, FIN | ACK)]
    send: list[tuple[bytes, str, int]] = []
    made.from_endpoint(E0, [packet for pair in zip(there, back, strict=True) for packet in pair], now_s, send)
    return len(send) == 6


def resident_kb() -> int:
    """Memory of this process."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1])


if __name__ == "__main__":
    main()
